"""What a message shows of an alert, whatever survey it comes from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from job_settings import nights

_JD_OF_MJD_0 = 2_400_000.5
_AB_OF_NANOJANSKY = 31.4  # the AB magnitude of 1 nJy


class RowError(Exception):
    """The alert has no object to name."""


@dataclass(frozen=True)
class AlertRow:
    """`ra`, `dec` are in degrees; `night` counts nights."""

    object_id: str
    night: int
    ra: float | None = None
    dec: float | None = None
    class_name: str | None = None
    magnitude: float | None = None
    detections: int | None = None


@dataclass(frozen=True)
class Fields:
    """Where in an alert each thing may stand, the first that has a value counts; a dot leads into a struct.

    The defaults are those of Fink's alerts of ZTF and of Rubin, and of its science database. `flux` is in nJy, for alerts without a
    magnitude; `time` is a JD or an MJD.
    """

    object_id: Sequence[str] = (
        "objectId",
        "diaObject.diaObjectId",
        "diaSource.diaObjectId",
        "diaSource.ssObjectId",
        "diaSourceId",
    )
    ra: Sequence[str] = ("candidate.ra", "diaSource.ra", "candidate_ra", "ra")
    dec: Sequence[str] = ("candidate.dec", "diaSource.dec", "candidate_dec", "dec")
    class_name: Sequence[str] = (
        "finkclass",
        "cdsxmatch",
        "cross_match_alerts_per_batch",
        "pred.main_label_crossmatch",
        "xm.simbad_otype",
    )
    magnitude: Sequence[str] = ("candidate.magpsf", "magpsf")
    flux: Sequence[str] = ("diaSource.psfFlux",)
    detections: Sequence[str] = ("candidate.ndethist", "diaObject.nDiaSources", "ndethist")
    time: Sequence[str] = ("candidate.jd", "diaSource.midpointMjdTai", "jd")


def at(alert: Mapping[str, Any], path: str) -> Any:
    """The value at a path such as `candidate.ra`; None where there is none."""
    found: Any = alert
    for step in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(step)
    return found


def row(alert: Mapping[str, Any], fields: Fields, received: float, night_begins: float) -> AlertRow:
    """What is shown of an alert.

    Parameters
    ----------
    alert
        The decoded alert.
    fields
        Where to look.
    received
        Its time if it has none itself: seconds since 1970.
    night_begins
        The hour of UTC at which one night ends and the next begins.

    Raises
    ------
    RowError
        There is no object's id.
    """
    # An id of 0 is how a survey says that there is none.
    object_id = next((value for path in fields.object_id if (value := at(alert, path))), None)
    if object_id is None:
        raise RowError(f"it has no object's id: none of {', '.join(fields.object_id)}")
    detections = _number(_first(alert, fields.detections))
    class_name = _first(alert, fields.class_name)
    return AlertRow(
        object_id=str(object_id),
        night=_night(_number(_first(alert, fields.time)), received, night_begins),
        ra=_number(_first(alert, fields.ra)),
        dec=_number(_first(alert, fields.dec)),
        class_name=None if class_name is None else str(class_name),
        magnitude=_magnitude(alert, fields),
        detections=None if detections is None else int(detections),
    )


def night_start(now: float, night_begins: float) -> float:
    """When the night of a time began; both in seconds since 1970."""
    return nights.start(nights.number(nights.mjd(now), night_begins), night_begins)


def _night(time: float | None, received: float, night_begins: float) -> int:
    return nights.number(nights.mjd(received) if time is None else _of_julian_date(time), night_begins)


def _of_julian_date(time: float) -> float:
    return time - _JD_OF_MJD_0 if time > _JD_OF_MJD_0 else time


def _magnitude(alert: Mapping[str, Any], fields: Fields) -> float | None:
    magnitude = _number(_first(alert, fields.magnitude))
    if magnitude is not None:
        return magnitude
    flux = _number(_first(alert, fields.flux))
    return _AB_OF_NANOJANSKY - 2.5 * math.log10(flux) if flux is not None and flux > 0 else None


def _first(alert: Mapping[str, Any], paths: Sequence[str]) -> Any:
    return next((value for path in paths if (value := at(alert, path)) not in (None, "")), None)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
