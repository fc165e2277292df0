"""The filters of outputs as columns: each distinct Python filter once, and one boolean per output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  pyspark's own convention

from distribution_job import columns, filter_udf, python_filters, sql_filters
from distribution_job.columns import FieldPath
from distribution_job.failures import Failure, OutputError, one_line
from distribution_job.plan import Routed

_MATCH, _PYTHON = "__match_{}", "__python_{}"


def quoted(name: str) -> str:
    """A column's name as Spark takes it literally, dots and all."""
    return "`" + name.replace("`", "``") + "`"


@dataclass(frozen=True)
class Conditions:
    """The filters of the routed outputs.

    `python`: each distinct Python filter once, by its path. `matches`: one boolean column per output, by its name, which
    reads the Python results. `failures`: outputs whose filter cannot be used.
    """

    python: Mapping[str, Column]
    matches: Mapping[str, Column]
    failures: Mapping[str, Failure]

    def applied(self, alerts: DataFrame) -> DataFrame:
        """The alerts with one struct column per Python filter and one boolean column per output."""
        python = {_PYTHON.format(position): column for position, column in enumerate(self.python.values())}
        matches = {match_name(position): column for position, column in enumerate(self.matches.values())}
        return alerts.withColumns(python).withColumns(matches)

    def error(self, path: str) -> Column:
        """What the Python filter at `path` raised, null where it did not."""
        return F.col(f"{_PYTHON.format(list(self.python).index(path))}.error")


def match_name(position: int) -> str:
    """The boolean column of the output at `position` of `Conditions.matches`."""
    return _MATCH.format(position)


def find(alerts: DataFrame, outputs: Sequence[Routed], allowed: tuple[str, ...]) -> Conditions:
    """Work out the filters; nothing is read."""
    python: dict[str, Column] = {}
    matches: dict[str, Column] = {}
    failures: dict[str, Failure] = {}
    for routed in outputs:
        output = routed.output
        try:
            if output.sql is not None:
                matches[output.name] = sql_filters.condition(alerts, output.sql)
            elif output.python is not None:
                if output.python not in python:
                    python[output.python] = python_filter(alerts, output.python, allowed)
                result = _PYTHON.format(list(python).index(output.python))
                matches[output.name] = F.coalesce(F.col(f"{result}.match"), F.lit(False))
            else:
                matches[output.name] = F.lit(True)
        except OutputError as error:
            failures[output.name] = error.failure
    return Conditions(python, matches, failures)


def python_filter(alerts: DataFrame, path: str, allowed: tuple[str, ...]) -> Column:
    """The filter on the columns that its arguments name.

    Raises OutputError: FilterNotAllowed, FilterImportFailed, FilterInvalid or ColumnMissing.
    """
    python_filters.check_allowed(path, allowed)
    inputs = {}
    function = python_filters.load(path)
    for name, required in python_filters.arguments(path, function).items():
        try:
            inputs[name] = _input(columns.find(alerts.schema, name))
        except OutputError:
            if required:
                raise
    return filter_udf.column(function, list(inputs), list(inputs.values()))


def _input(source: FieldPath | columns.LightCurve) -> Column:
    if isinstance(source, FieldPath):
        return F.col(".".join(map(quoted, source.names)))
    current = F.array(F.col(f"{quoted(source.current)}.{quoted(source.field)}"))
    history = F.col(f"{quoted(source.history)}.{quoted(source.field)}")
    return F.when(history.isNotNull(), F.concat(history, current)).otherwise(current)


def filter_error(text: str) -> str:
    """The sentence for a Python filter that raised."""
    return one_line(f"The filter raised {text}. Correct it; the files wait and are tried again.")
