"""What version a cluster is of, which librdkafka does not tell (KIP-584)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.kafka.protocol import protocol_client


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


async def ask(admin: KafkaAdmin) -> Versions:
    """Ask one broker; raises as `ProtocolClient.use`."""
    return await protocol_client(admin).use("describe_features", "asking the cluster for its version", _ask)


def _ask(client: Any) -> Versions:
    features = client.describe_features()
    broker = client.get_broker_version_data(client.describe_cluster()["controller_id"])
    finalized = features.get("metadata.version", {}).get("finalized")
    return Versions(".".join(map(str, broker.broker_version)), finalized[1] if finalized else None)
