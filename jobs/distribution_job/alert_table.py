"""Alerts as a table for people: which columns, and how wide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pyspark.sql import types as spark

FIRST = ("objectId", "candid", "diaObjectId", "diaSourceId", "alertId")
"""What tells alerts apart stands first; the other columns follow as the schema has them."""

_WIDEST_CELL = 40
_GAP = "  "
_NULL = ""
_MANY = (spark.StructType, spark.ArrayType, spark.MapType, spark.BinaryType)


def simple_columns(alert: spark.StructType) -> list[str]:
    """The top-level columns that hold one readable value each."""
    names = [field.name for field in alert.fields if not isinstance(field.dataType, _MANY)]
    return [*(name for name in FIRST if name in names), *(name for name in names if name not in FIRST)]


def unknown_columns(paths: Sequence[str], schema: Mapping[str, Any]) -> list[str]:
    """Those paths that lead to no field of the Avro schema; a dot leads into a record."""
    known = set(_paths(schema, ""))
    return [path for path in paths if path not in known]


def table(names: Sequence[str], rows: Sequence[Sequence[Any]], width: int | None = None) -> str:
    """The rows below the names; with a width, in characters, only the first columns, as many as fit into it."""
    columns = [[name, *(_cell(row[position]) for row in rows)] for position, name in enumerate(names)]
    padded = [_padded(column) for column in columns]
    if width is not None:
        padded = padded[: _fitting([len(column[0]) for column in padded], width)]
    return "\n".join(_GAP.join(line).rstrip() for line in zip(*padded, strict=True))


def _padded(cells: Sequence[str]) -> list[str]:
    widest = max(map(len, cells))
    return [cell.ljust(widest) for cell in cells]


def _fitting(widths: Sequence[int], width: int) -> int:
    """How many columns fit; one does in any case."""
    used, count = -len(_GAP), 0
    for each in widths:
        used += len(_GAP) + each
        if used > width:
            break
        count += 1
    return max(1, count)


def _cell(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        return f"{len(value)} bytes"
    text = _NULL if value is None else str(value)
    # A value from an alert must not steer the terminal.
    text = "".join(letter if letter.isprintable() else " " for letter in text)
    return text if len(text) <= _WIDEST_CELL else f"{text[: _WIDEST_CELL - 1]}…"


def _paths(record: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for field in record["fields"]:
        yield prefix + field["name"]
        branches = field["type"] if isinstance(field["type"], list) else [field["type"]]
        for branch in branches:
            if isinstance(branch, dict) and branch["type"] == "record":
                yield from _paths(branch, f"{prefix}{field['name']}.")
