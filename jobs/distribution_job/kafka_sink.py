"""The options of Spark's Kafka sink."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from distribution_job import java_client
from distribution_job.config import JobConfig

LARGEST_MESSAGE = 10_000_000  # bytes of key and value together; the producer refuses more
LARGEST_BATCH = 1024 * 1024  # bytes that a producer sends at once for a partition, before compression
_SMALLEST_BATCH = 16 * 1024
_MARGIN = 8
_BUFFER = 64 * 1024 * 1024  # bytes


def batch_bytes(largest: Iterable[int | None]) -> int:
    """The producer's batch.size for topics of these max.message.bytes; 0, each message by itself, if one is not known.

    A batch must never be larger than its topic takes. The producer would split it, and its flush does not wait for the
    parts (kafka-clients 3.9): Spark would count them as sent, and they may be lost without a word. A batch that compresses
    worse than the ones before it outgrows batch.size, hence the wide margin.
    """
    limits = list(largest)
    if not limits or None in limits:
        return 0
    size = min(limit for limit in limits if limit is not None) // _MARGIN
    return min(size, LARGEST_BATCH) if size >= _SMALLEST_BATCH else 0


def shared(batch: int, partitions: int) -> int:
    """`batch`, or less of it, so that each of so many partitions has two in the producer's buffer.

    Java's producer takes the room of a whole batch for its first message. Once there is none left it sends all batches as they are.
    """
    return min(batch, max(_BUFFER // (2 * partitions), _SMALLEST_BATCH))


def options(config: JobConfig, batch: int) -> dict[str, str]:
    """What `write.format("kafka")` is given; `batch` is the producer's batch.size. It holds no secret."""
    kafka = config.kafka
    chosen = {
        **java_client.connection(kafka),
        "client.id": f"fink-{config.namespace}-{config.name}",
        "acks": "all",
        "enable.idempotence": "true",
        # An alert's key is its whole schema: batches of many alerts let zstd send that once (half the bytes).
        "compression.type": "zstd",
        "linger.ms": "50" if batch else "0",
        "batch.size": str(batch),
        "buffer.memory": str(_BUFFER),
        "max.request.size": str(LARGEST_MESSAGE + 100_000),
        # Short, because the job itself tries again, and finds out meanwhile which output is to blame.
        "delivery.timeout.ms": "60000",
        "request.timeout.ms": "20000",
        "max.block.ms": "30000",
    }
    # Spark keeps producers by their options and a producer keeps what it has read: a renewed file makes a new one.
    for file in filter(None, (java_client.login_file(kafka), kafka.ca_file)):
        chosen["client.id"] += f"-{_age(file)}"
    return {f"kafka.{name}": value for name, value in chosen.items()}


def _age(file: Path) -> str:
    try:
        return format(file.stat().st_mtime_ns // 1_000_000, "x")
    except OSError:
        return "0"  # the write itself says that the file is missing
