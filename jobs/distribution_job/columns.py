"""Which column a filter's argument means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pyspark.sql.types import ArrayType, DataType, StructType

from distribution_job.failures import OutputError, Reason, choices

# Fink's ZTF filters ask for light curves as `c<field>c`: the field's history followed by its current value
# (fink-broker, bin/ztf/distribute.py), and for the science stamp as cstampDatac.
_LIGHT_CURVE = re.compile(r"c(\w+)c\Z")
_HISTORY, _CURRENT = "prv_candidates", "candidate"
_STAMP = ("cstampDatac", ("cutoutScience", "stampData"))


@dataclass(frozen=True)
class FieldPath:
    """A column, or a field of nested structs: the names on the way down."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class LightCurve:
    """A field's values in `history` (array of structs), oldest first, then its value in `current` (struct)."""

    history: str
    current: str
    field: str


def find(alerts: StructType, name: str) -> FieldPath | LightCurve:
    """What an argument named `name` stands for.

    A top-level column first, else the one field of that name in nested structs (arrays are not entered), else
    ZTF's light curve. Raises OutputError (ColumnMissing) when there is none, or more than one.
    """
    if name in alerts.names:
        return FieldPath((name,))
    nested = [path for path in _paths(alerts) if path[-1] == name]
    if len(nested) == 1:
        return FieldPath(nested[0])
    if nested:
        ways = ", ".join(".".join(path) for path in nested)
        raise OutputError(
            Reason.COLUMN_MISSING,
            f"The filter's argument {name} could be any of {ways}, and no top-level column has that name. "
            "Name the argument after a column that is there once.",
        )
    return _derived(alerts, name)


def type_of(alerts: StructType, source: FieldPath) -> DataType:
    """The type of the column or field."""
    kind: Any = alerts
    for name in source.names:
        kind = kind[name].dataType
    found: DataType = kind
    return found


def _derived(alerts: StructType, name: str) -> FieldPath | LightCurve:
    if name == _STAMP[0] and _STAMP[1] in list(_paths(alerts)):
        return FieldPath(_STAMP[1])
    light_curve = _LIGHT_CURVE.match(name)
    if light_curve:
        field = light_curve.group(1)
        history = alerts[_HISTORY].dataType if _HISTORY in alerts.names else None
        if (
            isinstance(history, ArrayType)
            and isinstance(history.elementType, StructType)
            and field in history.elementType.names
            and (_CURRENT, field) in list(_paths(alerts))
        ):
            return LightCurve(_HISTORY, _CURRENT, field)
    existing = [*alerts.names, *(path[-1] for path in _paths(alerts))]
    raise OutputError(
        Reason.COLUMN_MISSING,
        f"The filter's argument {name} is neither a column of the alerts nor a field of a nested struct. "
        f"{choices(name, existing)} Name the argument after one that exists.",
    )


def _paths(struct: StructType, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """All fields of nested structs, as ways of two names or more."""
    for field in struct.fields:
        way = (*above, field.name)
        if above:
            yield way
        if isinstance(field.dataType, StructType):
            yield from _paths(field.dataType, way)
