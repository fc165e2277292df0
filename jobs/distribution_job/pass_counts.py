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

from distribution_job.conditions import Conditions, quoted
from distribution_job.plan import Plan, Routed

_ONCE, _NAMELESS, _GARBLED, _ERROR = "__once", "__nameless", "__garbled", "__error_{}"
_MESSAGES = "messages"
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
    texts = sorted({column for part in plan.projections for column in part.texts})
    garbled = [F.when(~F.is_valid_utf8(quoted(column)), F.lit(column)) for column in texts]
    nameless = F.col(quoted(plan.id_column)).isNull()
    return [
        once.alias(_ONCE),
        (once & nameless).alias(_NAMELESS),
        F.when(once, F.coalesce(*garbled, F.lit(None).cast("string"))).alias(_GARBLED),
        *(F.when(once, error).alias(_ERROR.format(position)) for position, error in found.items()),
    ]


def alert_counts(positions: Sequence[int]) -> list[Column]:
    """Aggregates over `alert_notes`; `positions`: those of the outputs whose filter is in Python."""
    return [
        F.count_if(_ONCE).alias("rows"),
        F.count_if(_NAMELESS).alias("nameless"),
        F.max(_GARBLED).alias("garbled"),
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
