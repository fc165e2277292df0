"""Kafka transactions: all messages and a mark, or nothing (KIP-98).

The mark is the metadata of an offset that the transaction commits, for the first partition of each of its topics, in a consumer
group of the stream's own that has no members. It lies on the brokers, nobody reads it by accident, and it goes with its topic.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from distribution_job.deadlines import insist, within
from distribution_job.failures import BatchError, Reason, one_line
from distribution_job.kafka_client import client_config
from distribution_job.transaction_clients import DELIVERY_SECONDS, TIMEOUT_SECONDS, Clients, let_go, producer_settings
from job_settings.kafka import Kafka

LOG = logging.getLogger(__name__)
TWO_DRIVERS = "another driver publishes under the transactional id"
_CALL = 30.0  # seconds
_FINISH = 120.0
_FENCED = {KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH}
_PURGED = {KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT, KafkaError._STATE}
_LACKING = {
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED: "use the transactional id {id}. Grant it Write and Describe there",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "use the group {id}, which holds the marks of transactions. Grant it Read there",
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "leave a transaction's mark with its topics. Grant it Read on each of them",
}

Headers = Sequence[tuple[str, bytes]]


class Fenced(Exception):  # noqa: N818  the end of this driver, not an error of a batch
    """A newer driver has taken over, or the brokers have given this transaction up; this process may not go on."""


class DeliveryFailed(Exception):  # noqa: N818  named as what the producer reports
    """Messages were refused; `by_topic` holds each topic's first error. The transaction cannot be committed any more."""

    def __init__(self, by_topic: dict[str, KafkaError]) -> None:
        self.by_topic = by_topic
        super().__init__("; ".join(f"{topic}: {error.str()}" for topic, error in sorted(by_topic.items())))


class Transactions:
    """One producer at a time, one transaction at a time; used by one thread at a time."""

    def __init__(self, kafka: Kafka, transactional_id: str) -> None:
        self._kafka = kafka
        self._id = transactional_id
        self._clients: Clients | None = None
        self._login: dict[str, object] = {}
        self._batch = 0
        self._refused: dict[str, KafkaError] = {}
        self._purged: dict[str, KafkaError] = {}
        self._trouble = ""
        self._shaken_by = ""

    def begin(self, batch: int) -> None:
        """Begin a transaction; `batch` is the most bytes of a producer's batch, 0 for each message by itself.

        Raises BatchError (KafkaUnavailable), Fenced.
        """
        producer = self._open(batch).producer
        self._refused.clear()
        self._purged.clear()
        with self._told("begin a transaction"):
            producer.begin_transaction()

    def send(self, topic: str, partition: int, key: bytes, value: bytes, headers: Headers) -> None:
        """Have a message sent; `flush` says whether it was. Blocks while too much is on its way."""
        producer, deadline = self._begun().producer, time.monotonic() + DELIVERY_SECONDS
        while True:
            try:
                producer.produce(topic, value, key, partition, headers=list(headers))
                return
            except BufferError:
                producer.poll(0.1)
                if time.monotonic() > deadline:
                    raise self._away("its producer's buffer stays full") from None
            except KafkaException as error:
                self._note_refusal(topic, error.args[0])
                return

    def flush(self) -> None:
        """Wait until the brokers have all messages. Raises DeliveryFailed, BatchError, Fenced."""
        left = self._begun().producer.flush(DELIVERY_SECONDS + 15)
        if _FENCED & {error.code() for error in (*self._refused.values(), *self._purged.values())}:
            raise self._fenced()
        if self._refused:
            raise DeliveryFailed(dict(self._refused))
        if self._purged:
            raise self._away(f"the transaction failed: {self._trouble or 'no cause was given'}")
        if left:
            raise self._away(f"{left} messages are on their way for too long")

    def commit(self, mark: str, topics: Collection[str]) -> None:
        """Commit the transaction, with the mark in each topic's place.

        Raises BatchError: then it is open whether it is committed, and `marked` tells.
        """
        clients = self._begun()
        producer, marks = clients.producer, clients.marks
        producer.poll(0)
        if self._shaken_by:
            self.close()
            raise self._away(f"it went away during a transaction ({self._shaken_by})")
        places = [TopicPartition(topic, 0, 1, metadata=mark) for topic in sorted(topics)]

        def finish() -> None:
            producer.send_offsets_to_transaction(places, marks.consumer_group_metadata(), _CALL)
            insist(lambda: producer.commit_transaction(_CALL), 2 * _CALL)

        with self._told("commit the transaction"):
            if not within(_FINISH, finish):
                self.close()
                raise self._away(f"no answer to a commit within {_FINISH:.0f} s")

    def abort(self) -> None:
        """Undo what was sent since `begin`. Raises Fenced."""
        if self._clients is None:
            return
        producer = self._clients.producer
        try:
            insist(lambda: producer.abort_transaction(_CALL), 2 * _CALL)
        except KafkaException as error:
            if error.args[0].code() in _FENCED:
                raise self._fenced() from error
            # The next producer's begin ends what this one has left open.
            LOG.info("a transaction was not aborted: %s", one_line(str(error), 300))
            self.close()
        if self._refused or self._purged:
            # After a refusal the same producer (librdkafka 2.16) may skip numbers of its sequence, and the next transaction fails.
            self.close()

    def marked(self, mark: str, topics: Collection[str]) -> bool:
        """Whether the transaction with this mark is committed; nothing is under way any more when it is asked.

        A topic that is gone, or that the user may not see any more, does not know. Raises BatchError, Fenced.
        """
        marks = self._open(self._batch).marks
        with self._told("read what was committed"):
            found = marks.committed([TopicPartition(topic, 0) for topic in sorted(topics)], _CALL)
        return any(place.error is None and place.metadata == mark for place in found)

    def close(self) -> None:
        """Forget the producer; whatever it has open is ended when the next one begins."""
        if self._clients is not None:
            held, self._clients = [self._clients], None
            let_go(held)

    def _open(self, batch: int) -> Clients:
        login = client_config(self._kafka)
        if self._clients is not None:
            self._clients.producer.poll(0)
            if (login, batch) == (self._login, self._batch) and not self._shaken_by:
                return self._clients
            self.close()
        self._login, self._batch, self._shaken_by = login, batch, ""
        shared = {**login, "error_cb": self._note_trouble}
        producer = Producer({**shared, "on_delivery": self._report, **producer_settings(self._id, batch)})
        with self._told("take over the transactional id"):
            insist(lambda: producer.init_transactions(_CALL), 2 * _CALL)
        marks = Consumer({**shared, "group.id": self._id, "enable.auto.commit": False})
        self._clients = Clients(producer, marks)
        return self._clients

    def _begun(self) -> Clients:
        if self._clients is None:
            raise self._away("no transaction is open")
        return self._clients

    def _report(self, error: KafkaError | None, message: Any) -> None:
        if error is not None:
            self._note_refusal(message.topic(), error)

    def _note_refusal(self, topic: str, error: KafkaError) -> None:
        # The first refusal ends the transaction: what is on its way is purged, also before the refusal is told, and nothing more is taken.
        into = self._purged if error.code() in _PURGED else self._refused
        into.setdefault(topic, error)

    @contextlib.contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Raise what the clients raise as this job's errors."""
        self._trouble = ""
        try:
            yield
        except KafkaException as raised:
            error: KafkaError = raised.args[0]
            self.close()
            if error.code() in _FENCED:
                raise self._fenced() from raised
            if (lacking := _LACKING.get(error.code())) is not None:
                text = f"The user may not {lacking.format(id=self._id)}, or set delivery to AtLeastOnce."
                raise BatchError(Reason.KAFKA_UNAVAILABLE, text) from raised
            raise self._away(f"cannot {what}: {self._trouble or error.str()}") from raised

    def _away(self, said: str) -> BatchError:
        return BatchError(
            Reason.KAFKA_UNAVAILABLE,
            f"Kafka at {self._kafka.bootstrap_servers} does not take the alerts: {one_line(said, 400)}. It is tried again.",
        )

    def _fenced(self) -> Fenced:
        self.close()
        return Fenced(
            f"{TWO_DRIVERS} {self._id}, or a transaction took longer than {TIMEOUT_SECONDS} s; this driver ends. See that only one "
            "runs, and give the stream less at a time (maxFilesPerBatch, smaller files) if no other does."
        )

    def _note_trouble(self, error: KafkaError) -> None:
        self._trouble = self._trouble or error.str()
        # A producer whose broker went away may wait for ever where it sends offsets (librdkafka 2.16), so it is not used again.
        self._shaken_by = self._shaken_by or error.str()
