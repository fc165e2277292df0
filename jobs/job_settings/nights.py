"""Nights: each ends, and the next begins, at an hour of UTC at which it is day where the telescopes are."""

from __future__ import annotations

import math

BEGINS_AT_HOUR = 18.0
_MJD_OF_1970 = 40_587.0
_SECONDS_PER_DAY = 86_400.0
_HOURS_PER_DAY = 24.0


def mjd(seconds: float) -> float:
    """The modified Julian date of a time in seconds since 1970."""
    return _MJD_OF_1970 + seconds / _SECONDS_PER_DAY


def number(date: float, begins: float) -> int:
    """The number of the night of a modified Julian date; `begins` is an hour of UTC."""
    return math.floor(date - begins / _HOURS_PER_DAY)


def start(night: int, begins: float) -> float:
    """When a night began, in seconds since 1970."""
    return (night + begins / _HOURS_PER_DAY - _MJD_OF_1970) * _SECONDS_PER_DAY
