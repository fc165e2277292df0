"""Finding out which output is to blame when a whole pass fails."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pyspark.sql import DataFrame

from distribution_job import conditions
from distribution_job.config import Output
from distribution_job.distributor import Distributor
from distribution_job.failures import BatchError, Failure, Reason, one_line
from distribution_job.single_pass import SinglePass

_CLASS = re.compile(r"(?:[a-z_][\w$]*\.)+(\w+(?:Exception|Error)): ")
_KAFKA = re.compile(r"org\.apache\.kafka\.common\.\S*?(\w+Exception): ([^\n]*)")
_NOISE = re.compile(r"\n\s+at [^\n]*|\n\s*\.\.\. \d+ more|Driver stacktrace:")


def blame(
    error: Exception, alerts: DataFrame, outputs: Sequence[Output], distributor: Distributor
) -> dict[str, Failure]:
    """The outputs that make the pass fail, by asking the broker anew and then by trying each alone.

    Raises BatchError when no output is to blame.
    """
    plan, found = distributor.plan(alerts, outputs, fresh=True)
    failures = {**plan.failures, **found.failures}
    if failures:
        return failures
    kafka = _KAFKA.search(str(error))
    if kafka and kafka.group(1) != "RecordTooLargeException":
        raise BatchError(
            Reason.KAFKA_UNAVAILABLE,
            f"Kafka did not take the alerts: {kafka.group(1)}: {one_line(kafka.group(2), 400)}. They are sent again; "
            "check the brokers and, if it is about a login, the user's credentials.",
        ) from error
    if kafka:
        return _by_sending(outputs, alerts, distributor)
    if not _works(alerts):
        raise BatchError(Reason.BATCH_FAILED, f"The alerts cannot be read: {sentence(error)}") from error
    for output in outputs:
        failure = _alone(alerts, output, distributor)
        if failure is not None:
            failures[output.name] = failure
    if failures:
        return failures
    raise BatchError(Reason.BATCH_FAILED, f"The batch failed, and is tried again: {sentence(error)}") from error


def sentence(error: BaseException) -> str:
    """An error of Spark without its stack traces."""
    text = _NOISE.sub("", str(error)).partition("\n\n")[0]
    return one_line(_CLASS.sub(r"\1: ", text).removeprefix("An error occurred while calling "), 700)


def _alone(alerts: DataFrame, output: Output, distributor: Distributor) -> Failure | None:
    plan, found = distributor.plan(alerts, [output])
    judged = found.applied(alerts).select(conditions.match_name(0))
    try:
        judged.write.format("noop").mode("overwrite").save()
    except Exception as error:  # noqa: BLE001  what a filter may raise on executors is open
        return Failure(Reason.FILTER_RAISED, conditions.filter_error(f"outside Python's reach: {sentence(error)}"))
    try:
        SinglePass(plan, found).over(alerts).rows.write.format("noop").mode("overwrite").save()
    except Exception as error:  # noqa: BLE001  the same for the encoder
        return Failure(
            Reason.ENCODING_FAILED,
            one_line(f"The alerts cannot be encoded: {sentence(error)}. Leave the column out with select or drop."),
        )
    return None


def _by_sending(outputs: Sequence[Output], alerts: DataFrame, distributor: Distributor) -> dict[str, Failure]:
    """Which outputs' topics refuse a message for its size; the broker alone knows their limits."""
    failures = {}
    for output in outputs:
        try:
            distributor.send(alerts, [output])
        except Exception as error:
            if "RecordTooLargeException" not in str(error):
                raise
            failures[output.name] = Failure(
                Reason.ENCODING_FAILED,
                f"An alert is larger than the topic {output.topic} takes. Raise its max.message.bytes, or publish fewer "
                "columns with select or drop.",
            )
    return failures


def _works(alerts: DataFrame) -> bool:
    try:
        alerts.write.format("noop").mode("overwrite").save()
    except Exception:  # noqa: BLE001  the caller has the error that matters
        return False
    return True
