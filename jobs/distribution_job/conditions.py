"""The filters of outputs as columns: each distinct Python filter once, and one boolean per output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  pyspark's own convention
from pyspark.sql.types import StringType, StructType

from distribution_job import columns, filter_udf, python_filters, sql_filters
from distribution_job.columns import FieldPath
from distribution_job.failures import Failure, OutputError
from distribution_job.outputs import Output
from distribution_job.plan import Routed

_MATCH, _PYTHON = "__match_{}", "__python_{}"


def quoted(name: str) -> str:
    """A column's name as Spark takes it literally, dots and all."""
    return "`" + name.replace("`", "``") + "`"


@dataclass(frozen=True)
class Conditions:
    """The filters of the routed outputs.

    `python`: each distinct Python filter once, by its path and how long it may take. `matches`: one boolean column per output, by its name, which
    reads the Python results. `failures`: outputs whose filter cannot be used.
    """

    python: Mapping[tuple[str, int], Column]
    matches: Mapping[str, Column]
    failures: Mapping[str, Failure]

    def applied(self, alerts: DataFrame) -> DataFrame:
        """The alerts with one struct column per Python filter and one boolean column per output."""
        python = {_PYTHON.format(position): column for position, column in enumerate(self.python.values())}
        matches = {match_name(position): column for position, column in enumerate(self.matches.values())}
        return alerts.withColumns(python).withColumns(matches)

    def error(self, output: Output) -> Column | None:
        """Why the output's filter could not judge an alert, null where it could (see `filter_udf.failure`); None unless it is in Python."""
        if output.python is None:
            return None
        return F.col(f"{_PYTHON.format(list(self.python).index((output.python, output.filter_seconds)))}.error")


def match_name(position: int) -> str:
    """The boolean column of the output at `position` of `Conditions.matches`."""
    return _MATCH.format(position)


def find(alerts: DataFrame, outputs: Sequence[Routed], allowed: tuple[str, ...]) -> Conditions:
    """Work out the filters; nothing is read."""
    python: dict[tuple[str, int], Column] = {}
    matches: dict[str, Column] = {}
    failures: dict[str, Failure] = {}
    for routed in outputs:
        output = routed.output
        try:
            if output.sql is not None:
                matches[output.name] = sql_filters.condition(alerts, output.sql)
            elif output.python is not None:
                key = output.python, output.filter_seconds
                if key not in python:
                    python[key] = python_filter(alerts, *key, allowed)
                result = _PYTHON.format(list(python).index(key))
                matches[output.name] = F.coalesce(F.col(f"{result}.match"), F.lit(False))
            else:
                matches[output.name] = F.lit(True)
        except OutputError as error:
            failures[output.name] = error.failure
    return Conditions(python, matches, failures)


def python_filter(alerts: DataFrame, path: str, seconds: int, allowed: tuple[str, ...]) -> Column:
    """The filter on the columns that its arguments name. One call may take so many seconds.

    Raises OutputError: FilterNotAllowed, FilterImportFailed, FilterInvalid or ColumnMissing.
    """
    python_filters.check_allowed(path, allowed)
    inputs = {}
    function = python_filters.load(path)
    for name, required in python_filters.arguments(path, function).items():
        try:
            inputs[name] = _input(alerts.schema, columns.find(alerts.schema, name))
        except OutputError:
            if required:
                raise
    return filter_udf.column(path, list(inputs), list(inputs.values()), seconds)


def _input(alerts: StructType, source: FieldPath | columns.LightCurve) -> Column:
    if isinstance(source, FieldPath):
        column = F.col(".".join(map(quoted, source.names)))
        # The Python worker would end at other bytes before it had called anything.
        return F.make_valid_utf8(column) if isinstance(columns.type_of(alerts, source), StringType) else column
    current = F.array(F.col(f"{quoted(source.current)}.{quoted(source.field)}"))
    history = F.col(f"{quoted(source.history)}.{quoted(source.field)}")
    return F.when(history.isNotNull(), F.concat(history, current)).otherwise(current)
