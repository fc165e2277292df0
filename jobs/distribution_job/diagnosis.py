"""What an error of Spark means for an output."""

from __future__ import annotations

import re
from collections.abc import Sequence

from confluent_kafka import KafkaError
from pyspark.sql import DataFrame

from distribution_job import filter_udf
from distribution_job.distributor import Distributor
from distribution_job.failures import Failure, Reason, one_line
from distribution_job.file_log import TwoDrivers
from distribution_job.plan import Routed
from distribution_job.single_pass import SinglePass
from distribution_job.transactions import TWO_DRIVERS, DeliveryFailed

_CLASS = re.compile(r"(?:[a-z_][\w$]*\.)+(\w+(?:Exception|Error)): ")
_KAFKA = re.compile(r"org\.apache\.kafka\.common\.\S*?(\w+Exception): ([^\n]*)")
_LOST = re.compile(r"\A.*?Lost task \S+ in stage \S+ \(TID \d+\) \([^)]*\): ", re.DOTALL)
_CALLED = re.compile(r"\AAn error occurred while calling \S+\s*:\s*")
_NOISE = re.compile(r"\n\s+at [^\n]*|\n\s*\.\.\. \d+ more|Driver stacktrace:")


def sentence(error: BaseException) -> str:
    """The error without its stack traces, in one line."""
    text = _LOST.sub("", _CALLED.sub("", _NOISE.sub("", str(error)))).partition("\n\n")[0]
    return one_line(_CLASS.sub(r"\1: ", text), 700)


def of_two_drivers(error: BaseException) -> bool:
    """Whether another driver works on the same checkpoint, or under the same transactional id."""
    if isinstance(error, TwoDrivers):
        return True
    return any(sign in str(error) for sign in ("CONCURRENT_STREAM_LOG_UPDATE", TWO_DRIVERS))


def by_kafka(error: BaseException) -> str | None:
    """What the Kafka client said, when it raised the error; None when something else did."""
    if isinstance(error, DeliveryFailed):
        return one_line(str(error), 400)
    found = _KAFKA.search(str(error))
    return one_line(f"{found.group(1)}: {found.group(2)}", 400) if found else None


def named_by_kafka(error: BaseException, outputs: Sequence[Routed]) -> set[str]:
    """The outputs whose topic the Kafka client's error names, as in `Expiring 3 record(s) for TOPIC-0:60000 ms …`."""
    if isinstance(error, DeliveryFailed):
        return {routed.output.name for routed in outputs if routed.topic.name in error.by_topic}
    said = by_kafka(error) or ""
    return {
        routed.output.name
        for routed in outputs
        if re.search(rf"(?<![\w.-]){re.escape(routed.topic.name)}(?:-\d+:|[\]\s,]|$)", said)
    }


def timed_out(error: BaseException, single: SinglePass) -> dict[str, Failure]:
    """The outputs, by their names, of the Python filter whose worker was ended because it took too long."""
    found = filter_udf.timed_out(str(error))
    if found is None:
        return {}
    path, line = found
    return {
        routed.output.name: filter_udf.sentence(
            Reason.FILTER_TIMED_OUT,
            f"took longer than {routed.output.filter_seconds} s, and could not be interrupted (line {line})",
        )
        for routed in single.outputs
        if routed.output.python == path
    }


def refusal(error: BaseException, routed: Routed) -> Failure | None:
    """Why Kafka does not take an output's messages though it takes others'; None when it was not Kafka."""
    said = by_kafka(error)
    if said is None:
        return None
    topic = routed.topic.name
    if _is_too_large(error, said):
        return Failure(
            Reason.ENCODING_FAILED,
            f"An alert is larger than the topic {topic} takes. Raise its max.message.bytes, or publish fewer columns with "
            "select or drop; then restart the stream.",
        )
    return Failure(
        Reason.TOPIC_UNAVAILABLE,
        one_line(f"The topic {topic} takes no messages: {said}. Check its replicas and the user's rights."),
    )


def _is_too_large(error: BaseException, said: str) -> bool:
    if isinstance(error, DeliveryFailed):
        return any(each.code() == KafkaError.MSG_SIZE_TOO_LARGE for each in error.by_topic.values())
    return said.startswith("RecordTooLargeException")


def alone(alerts: DataFrame, single: SinglePass, distributor: Distributor) -> Failure | None:
    """Try the one output of `single` without Kafka: its filter, then the encoding; None when both go well."""
    try:
        single.judged(alerts).write.format("noop").mode("overwrite").save()
    except Exception as error:  # noqa: BLE001  what a filter may raise on executors is open
        return filter_udf.sentence(Reason.FILTER_RAISED, f"raised outside Python's reach: {sentence(error)}")
    try:
        distributor.rehearse(alerts, single)
    except Exception as error:  # noqa: BLE001  the same for the encoder
        return Failure(
            Reason.ENCODING_FAILED,
            one_line(f"The alerts cannot be encoded: {sentence(error)}. Leave the column out with select or drop."),
        )
    return None


def readable(alerts: DataFrame) -> bool:
    """Whether the alerts can be read at all."""
    try:
        alerts.write.format("noop").mode("overwrite").save()
    except Exception:  # noqa: BLE001  the caller has the error that matters
        return False
    return True
