"""Bright and certainly real."""

from __future__ import annotations

import pandas as pd

FAINTEST = 18.0  # magnitude
LOWEST_SCORE = 0.9


def bright_and_real(magpsf: pd.Series[float], drb: pd.Series[float]) -> pd.Series[bool]:
    """Alerts of 18th magnitude or brighter that deep learning takes for real.

    `magpsf`: PSF magnitude; `drb`: real-bogus score, 0 to 1, null before ZTF computed it (then no match).
    """
    return (magpsf <= FAINTEST) & (drb.astype(float) >= LOWEST_SCORE)
