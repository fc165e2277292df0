"""SQL filters: whether Spark accepts one as a condition on single alerts."""

from __future__ import annotations

from typing import Any

from pyspark.errors import AnalysisException, ParseException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812  pyspark's own convention
from pyspark.sql.types import BooleanType

from distribution_job.failures import OutputError, Reason, choices, one_line

_MISSING = ("UNRESOLVED_COLUMN", "FIELD_NOT_FOUND")
# Expressions that reach beyond the alert: other tables and files, and any static method of the JVM.
_FORBIDDEN = {
    "Exists": "a subquery",
    "InSubquery": "a subquery",
    "ListQuery": "a subquery",
    "ScalarSubquery": "a subquery",
    "CallMethodViaReflection": "a call of a Java method",
    "TryReflect": "a call of a Java method",
}


def condition(alerts: DataFrame, sql: str) -> Column:
    """The filter as a boolean column without nulls; nothing is read for it.

    Raises OutputError: ColumnMissing or FilterInvalid.
    """
    try:
        expression = F.expr(sql)
        kind = alerts.select(expression).schema[0].dataType
        if not isinstance(kind, BooleanType):
            raise _invalid(f"is of type {kind.simpleString()}, not boolean. Compare it with something")
        # As a condition Spark refuses aggregates, windows and generators, which would change the number of rows.
        analysed = alerts.where(expression)._jdf.queryExecution().analyzed()
    except ParseException as error:
        raise _invalid(f"cannot be parsed: {_short(error)}. Correct it") from error
    except AnalysisException as error:
        parameters = error.getMessageParameters() or {}
        if (error.getCondition() or "").startswith(_MISSING):
            wanted = parameters.get("objectName") or parameters.get("fieldName") or ""
            wanted = wanted.replace("`", "")
            names = [*alerts.columns, *_nested(alerts, full="fieldName" not in parameters)]
            raise OutputError(
                Reason.COLUMN_MISSING,
                f"The SQL filter names the column {wanted}, which the alerts do not have. {choices(wanted, names)} "
                "Correct the filter.",
            ) from error
        raise _invalid(f"is refused by Spark: {_short(error)}. Correct it") from error
    for name in _expressions(analysed):
        if name in _FORBIDDEN:
            raise _invalid(f"holds {_FORBIDDEN[name]}; a filter may look at the alert's own columns only. Leave it out")
    return F.coalesce(expression, F.lit(False))


def _nested(alerts: DataFrame, full: bool) -> list[str]:
    return [
        f"{field.name}.{name}" if full else name
        for field in alerts.schema.fields
        for name in getattr(field.dataType, "names", ())
    ]


def _expressions(plan: Any) -> list[str]:
    """The class names of all expressions of the analysed filter (a JVM Filter node)."""
    found, waiting = [], [plan.condition()]
    while waiting:
        expression = waiting.pop()
        found.append(expression.getClass().getSimpleName())
        children = expression.children()
        waiting.extend(children.apply(index) for index in range(children.size()))
    return found


def _short(error: AnalysisException) -> str:
    # Without the query's context, which repeats the filter, and the plan, which repeats the whole schema.
    text = str(error).partition("SQLSTATE")[0].partition("\n\n")[0]
    return one_line(text, 500).rstrip(" .")


def _invalid(problem: str) -> OutputError:
    return OutputError(Reason.FILTER_INVALID, f"The SQL filter {problem}.")
