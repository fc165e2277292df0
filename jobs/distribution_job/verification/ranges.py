"""Which part of each topic is to be read, asked as the stream's own user."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from confluent_kafka import IsolationLevel, KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient, OffsetSpec

from distribution_job.failures import BatchError, Reason, one_line
from distribution_job.kafka_client import client_config
from distribution_job.topic_offsets import TIMEOUT, offsets
from job_settings.kafka import Kafka

_MARGIN = 600_000  # ms between the driver's clock and the brokers'
_MAY_READ = {AclOperation.READ, AclOperation.ALL}


@dataclass(frozen=True)
class Range:
    """The offsets of a partition that may hold what is wanted.

    `is_cut`: Kafka has removed messages right before them, of which some may have been wanted.
    """

    partition: int
    start: int
    end: int
    is_cut: bool


class Ranges:
    """Asks about topics. All methods raise BatchError (KafkaUnavailable, TopicUnavailable)."""

    def __init__(self, kafka: Kafka) -> None:
        self._kafka = kafka
        self._trouble = ""
        self._admin = AdminClient({**client_config(kafka), "error_cb": self._note_trouble})

    def check(self, topics: Iterable[str]) -> None:
        """See that each topic is there, and may be read."""
        wanted = sorted(topics)
        asked = self._admin.describe_topics(
            TopicCollection(wanted), include_authorized_operations=True, request_timeout=TIMEOUT
        )
        for name in wanted:
            try:
                described = asked[name].result(TIMEOUT + 5)
            except (KafkaException, TimeoutError) as error:
                raise self._refusal(name, error) from error
            if not _MAY_READ & set(described.authorized_operations or _MAY_READ):
                raise _may_not_read(name)

    def since(self, topic: str, time: int) -> list[Range]:
        """The range of each partition that may hold messages from `time` (ms) on, to where it ends now for readers of committed ones."""
        try:
            ends = offsets(self._admin, topic, OffsetSpec.latest(), IsolationLevel.READ_COMMITTED)
            starts = offsets(self._admin, topic, OffsetSpec.for_timestamp(max(0, time - _MARGIN)))
            begins = offsets(self._admin, topic, OffsetSpec.earliest())
        except KafkaException as error:
            raise self._refusal(topic, error) from error
        return [between(partition, begins[partition], starts[partition], end) for partition, end in ends.items()]

    def _refusal(self, topic: str, error: Exception) -> BatchError:
        self._admin.poll(0)  # has error_cb told the cause; a refused login only times out
        cause = error.args[0] if error.args else None
        code = cause.code() if isinstance(cause, KafkaError) else None
        if code == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return BatchError(
                Reason.TOPIC_UNAVAILABLE, f"The topic {topic} does not exist, so nothing of it can be counted."
            )
        if code == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            return _may_not_read(topic)
        said = one_line(self._trouble or str(cause or "no answer"), 400)
        return BatchError(
            Reason.KAFKA_UNAVAILABLE,
            f"Kafka at {self._kafka.bootstrap_servers} cannot be asked about the topic {topic}: {said}. Check that the brokers run, that they "
            "can be reached from here, and the user's credentials.",
        )

    def _note_trouble(self, error: KafkaError) -> None:
        self._trouble = self._trouble or error.str()


def _may_not_read(topic: str) -> BatchError:
    return BatchError(
        Reason.TOPIC_UNAVAILABLE,
        f"The user may not read the topic {topic}. Grant it Read and Describe there; for a stream in Kubernetes, an operator of this version "
        "does.",
    )


def between(partition: int, begin: int, start: int, end: int) -> Range:
    """The range of a partition from its first offset, the first of messages that are new enough (-1: there is none), and its end."""
    first = start if start >= 0 else end
    first = max(first, begin)
    return Range(partition, min(first, end), end, is_cut=0 < begin == first)
