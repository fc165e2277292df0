"""The two clients of librdkafka that a transaction needs, and how they are let go."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Any

from confluent_kafka import Consumer, Producer

from distribution_job.kafka_sink import LARGEST_MESSAGE

TIMEOUT_SECONDS = 300  # of a transaction; then the brokers end it
DELIVERY_SECONDS = 60.0
_BUFFER_KIBIBYTES = 64 * 1024


@dataclass(frozen=True)
class Clients:
    """`marks` names the group and reads its offsets; it reads no messages."""

    producer: Producer
    marks: Consumer


def producer_settings(transactional_id: str, batch: int) -> dict[str, Any]:
    """What makes the producer a transactional one; `batch` is the most bytes of its batches, 0 for each message by itself."""
    return {
        "transactional.id": transactional_id,
        "transaction.timeout.ms": TIMEOUT_SECONDS * 1000,
        "delivery.report.only.error": True,
        # An alert's key is its whole schema: batches of many alerts let zstd send that once (half the bytes).
        "compression.type": "zstd",
        "linger.ms": 50 if batch else 0,
        **({"batch.size": batch} if batch else {"batch.num.messages": 1}),
        "queue.buffering.max.kbytes": _BUFFER_KIBIBYTES,
        "message.max.bytes": LARGEST_MESSAGE + 100_000,
        "message.timeout.ms": int(DELIVERY_SECONDS * 1000),
    }


def let_go(held: list[Clients]) -> None:
    """Drop clients that nobody else holds, in a thread of its own.

    librdkafka waits for its threads then, for ever at times when the brokers are away, and nobody else need wait for that.
    """
    threading.Thread(target=_drop, args=(held,), daemon=True).start()


def _drop(held: list[Clients]) -> None:
    while held:
        held.pop().marks.close()
