"""What a pass counts while its rows go by.

Spark's `observe` stands between two pieces of compiled code, so that each row which it sees is copied whole, and each of its aggregates costs every
task some milliseconds before it has counted anything. Hence what is counted of alerts are a few narrow columns, and messages are counted by one
aggregate for all outputs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import Column, Row
from pyspark.sql import functions as F  # noqa: N812  pyspark's own convention
from pyspark.sql.types import StringType

from distribution_job.conditions import Conditions, quoted
from distribution_job.plan import Plan, Routed
from distribution_job.texts import is_sound

_ONCE, _NAMELESS, _ERROR = "__once", "__nameless", "__error_{}"
_GARBLED, _INSIDE = "__garbled", "__garbled_inside"
_MESSAGES = "messages"
INSIDE = "garbled_inside"
"""Of what is counted of alerts: a column with text below its top level that is not UTF-8; null when there is none."""
_LEAST_TRACKED = 100


def errors(outputs: Sequence[Routed], found: Conditions) -> dict[int, Column]:
    """By the position of each output whose filter is in Python: why it could not judge an alert, null where it could."""
    columns = ((position, found.error(routed.output)) for position, routed in enumerate(outputs))
    return {position: column for position, column in columns if column is not None}


def error_counts(found: Mapping[int, Column]) -> list[Column]:
    """Aggregates: for how many alerts each filter raised, and one of its errors."""
    counts = []
    for position, error in found.items():
        counts.append(F.count(error).alias(f"failed_{position}"))
        # The last by the alphabet: FilterTimedOut, which has consequences, stands after FilterRaised.
        counts.append(F.max(error).alias(f"error_{position}"))
    return counts


def alert_notes(plan: Plan, found: Mapping[int, Column], once: Column) -> list[Column]:
    """What `alert_counts` needs of an alert, from all its columns. `once`: true for one row of the alert's, if it has several."""
    kinds = {column: kind for part in plan.projections for column, kind in part.texts.items()}
    garbled: dict[bool, list[Column]] = {True: [], False: []}
    for column, kind in sorted(kinds.items()):
        garbled[isinstance(kind, StringType)].append(F.when(~is_sound(F.col(quoted(column)), kind), F.lit(column)))
    nothing = F.lit(None).cast("string")
    nameless = F.col(quoted(plan.id_column)).isNull()
    return [
        once.alias(_ONCE),
        (once & nameless).alias(_NAMELESS),
        F.when(once, F.coalesce(*garbled[True], nothing)).alias(_GARBLED),
        F.when(once, F.coalesce(*garbled[False], nothing)).alias(_INSIDE),
        *(F.when(once, error).alias(_ERROR.format(position)) for position, error in found.items()),
    ]


def alert_counts(positions: Sequence[int]) -> list[Column]:
    """Aggregates over `alert_notes`; `positions`: those of the outputs whose filter is in Python."""
    return [
        F.count_if(_ONCE).alias("rows"),
        F.count_if(_NAMELESS).alias("nameless"),
        F.max(_GARBLED).alias("garbled"),
        F.max(_INSIDE).alias(INSIDE),
        *error_counts({position: F.col(_ERROR.format(position)) for position in positions}),
    ]


def message_count(outputs: int) -> Column:
    """An aggregate over rows with `position` and `fits`, for `by_output`; no row, no message.

    The sketch behind `approx_top_k` is exact as long as it tracks as many items as there are (Apache DataSketches, "Frequent Items
    Sketches"), and here there are two an output.
    """
    items = 2 * outputs
    return F.expr(f"approx_top_k(2 * position + cast(fits AS int), {items}, {max(2 * items, _LEAST_TRACKED)})").alias(
        _MESSAGES
    )


def by_output(observed: Mapping[str, Any], outputs: int) -> dict[str, int]:
    """Of `message_count`'s result, for each position: how many messages are `published`, and how many alerts are too `large` for one."""
    found: Sequence[Row] = observed[_MESSAGES] or ()
    counted = {row["item"]: row["count"] for row in found}
    counts = {}
    for position in range(outputs):
        counts[f"published_{position}"] = counted.get(2 * position + 1, 0)
        counts[f"large_{position}"] = counted.get(2 * position, 0)
    return counts
