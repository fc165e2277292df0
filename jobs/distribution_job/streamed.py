"""Staging what a streaming source of Spark's has new; Spark's own checkpoint knows where it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame

from distribution_job import durable_json
from distribution_job.staging import Staging

# Spark's Kafka source (4.1) fails at the report on a batch that was repeated after a crash; the batch is committed by then.
_NOTHING_TO_REPORT = 'the return value of "scala.Option.get()" is null'


def _whole(found: DataFrame) -> Iterable[DataFrame]:
    return [found]


def stage(
    frame: DataFrame,
    checkpoint: Path,
    staging: Staging,
    tables: Callable[[DataFrame], Iterable[DataFrame]] = _whole,
) -> None:
    """Stage all that the stream has now, in batches of Spark's size; `tables` makes a batch's alerts of what was found.

    A batch has its number in Spark's checkpoint, with the source's offsets, before it is staged under this number. One that is repeated
    after a crash is staged already, with the same alerts. Raises what `tables` and Spark raise, and Draining when the job is to end.
    """

    raised: list[BaseException] = []

    def batch(found: DataFrame, number: int) -> None:
        try:
            # Spark leaves it to the system when its note is on the disk; it has to be before the alerts are.
            durable_json.force(checkpoint / "offsets" / str(number))
            durable_json.force(checkpoint / "offsets")
            staging.put(number, lambda: tables(found))
        except BaseException as error:
            raised.append(error)
            raise

    writer = frame.writeStream.foreachBatch(batch).option("checkpointLocation", str(checkpoint))
    writer = writer.trigger(availableNow=True)
    try:
        try:
            writer.start().awaitTermination()
        except PySparkException as error:
            if _NOTHING_TO_REPORT not in str(error):
                raise
            writer.start().awaitTermination()
    except PySparkException as error:
        # What Spark makes of it is the text of a stack trace.
        raise (raised[0] if raised else error) from None
