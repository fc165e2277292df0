"""What version a cluster is of, which librdkafka does not tell (KIP-584)."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass

from kafka.errors import KafkaError

from fink_distribution.kafka.login import Login
from kafka import KafkaAdminClient

# It tells of each step of a connection, and what is wrong is said in conditions.
logging.getLogger("kafka").setLevel(logging.CRITICAL)

FAILURES = (KafkaError, OSError)
"""What asking raises."""


@dataclass(frozen=True)
class Versions:
    """A cluster's versions.

    Attributes
    ----------
    kafka
        The release whose protocol the broker speaks, as in "4.1"; the newest that kafka-python knows when it is newer.
    metadata
        The finalized level of the feature metadata.version; None when the broker does not tell.
    """

    kafka: str
    metadata: int | None


async def ask(login: Login, timeout_seconds: float) -> Versions:
    """Ask one broker; raises one of FAILURES. The client blocks, hence the thread."""
    return await asyncio.to_thread(_ask, login, timeout_seconds)


def _ask(login: Login, timeout_seconds: float) -> Versions:
    milliseconds = int(timeout_seconds * 1000)
    client = KafkaAdminClient(
        **login.kafka_python(), client_id="fink-distribution-operator", bootstrap_timeout_ms=milliseconds
    )
    try:
        features = client.describe_features()
        broker = client.get_broker_version_data(client.describe_cluster()["controller_id"])
    finally:
        client.close()
    finalized = features.get("metadata.version", {}).get("finalized")
    return Versions(".".join(map(str, broker.broker_version)), finalized[1] if finalized else None)
