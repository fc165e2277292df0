"""What each output should receive, worked out without Spark: SQL by SQLite, Python filters by calling the plain function."""

from __future__ import annotations

import importlib
import inspect
import re
import sqlite3
import warnings
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
import pyarrow.types as kinds

from demo.quickstart import Output

ID_COLUMNS = ("candid", "diaSourceId", "alertId", "objectId")


def id_column(names: Iterable[str]) -> str:
    """The column that identifies an alert, chosen as the stream does."""
    there = set(names)
    found = next((name for name in ID_COLUMNS if name in there), None)
    if found is None:
        raise ValueError(f"the alerts have none of the columns {', '.join(ID_COLUMNS)} to identify them by")
    return found


def matching(output: Output, alerts: pa.Table) -> Counter[str]:
    """The ids of the alerts that the output's filter should let through, each as often as it is there."""
    ids = [str(value) for value in alerts.column(id_column(alerts.column_names)).to_pylist()]
    if output.sql is not None:
        wanted = by_sql(output.sql, alerts)
    elif output.python is not None:
        wanted = by_python(output.python, alerts)
    else:
        wanted = [True] * alerts.num_rows
    return Counter(number for number, match in zip(ids, wanted, strict=True) if match)


def by_sql(condition: str, alerts: pa.Table) -> list[bool]:
    """Evaluate the condition in SQLite: the alerts' plain columns in one table, each struct that is named in one of its own."""
    base = sqlite3.connect(":memory:")
    base.execute("PRAGMA case_sensitive_like = ON")
    _fill(base, "alert", {name: alerts.column(name) for name in alerts.column_names})
    tables = "alert"
    for field in alerts.schema:
        if kinds.is_struct(field.type) and re.search(rf"\b{re.escape(field.name)}\s*\.", condition):
            column = alerts.column(field.name).combine_chunks()
            parts = {part.name: pa.chunked_array([column.field(part.name)]) for part in field.type}
            _fill(base, field.name, parts)
            tables += f' JOIN "{field.name}" ON "{field.name}".rowid = alert.rowid'
    # The condition is the manifest's own; it can reach nothing but this data base, which is gone in a moment.
    query = f"SELECT alert.rowid FROM {tables} WHERE {condition}"  # noqa: S608
    try:
        rows = {row for (row,) in base.execute(query)}
    except sqlite3.OperationalError as error:
        raise ValueError(f"the SQL filter does not fit the alerts: {error}: {condition}") from None
    return [number in rows for number in range(1, alerts.num_rows + 1)]


def by_python(path: str, alerts: pa.Table) -> list[bool]:
    """Call the filter's plain function with the columns that its arguments name."""
    function = _plain(path)
    arguments = {name: _series(alerts, name) for name in inspect.signature(function).parameters}
    return [bool(match) for match in function(**arguments).fillna(False)]


def _plain(path: str) -> Any:
    module_name, _, name = path.rpartition(".")
    with warnings.catch_warnings():
        # fink-filters' ZTF functions are declared as pandas UDFs in the old way.
        warnings.simplefilter("ignore", UserWarning)
        module = importlib.import_module(module_name)
    # fink-filters keeps the plain function under the name with an underscore; else it is inside the UDF.
    function = getattr(module, f"{name}_", None) or getattr(module, name)
    return getattr(function, "func", function)


def _series(alerts: pa.Table, name: str) -> Any:
    if name in alerts.column_names:
        return alerts.column(name).to_pandas()
    parents = [f.name for f in alerts.schema if kinds.is_struct(f.type) and name in {part.name for part in f.type}]
    if len(parents) != 1:
        raise ValueError(f"the filter's argument {name} is not one column of the alerts")
    return pa.chunked_array([alerts.column(parents[0]).combine_chunks().field(name)]).to_pandas()


def _fill(base: sqlite3.Connection, table: str, columns: dict[str, pa.ChunkedArray]) -> None:
    plain = {name: column.to_pylist() for name, column in columns.items() if _is_plain(column.type)}
    names = ", ".join(f'"{name}"' for name in plain)
    base.execute(f'CREATE TABLE "{table}" ({names})')
    places = ", ".join("?" * len(plain))
    base.executemany(f'INSERT INTO "{table}" VALUES ({places})', zip(*plain.values(), strict=True))  # noqa: S608


def _is_plain(kind: pa.DataType) -> bool:
    return bool(kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_string(kind) or kinds.is_boolean(kind))
