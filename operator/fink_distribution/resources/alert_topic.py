"""AlertTopic: a topic that carries alerts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fink_distribution.resources.kafka_connection import connection_name
from fink_distribution.resources.keys import Body


def topic_name(body: Body) -> str:
    """Return the topic's name in Kafka."""
    name: str = body["spec"].get("topicName") or body["metadata"]["name"]
    return name


def owned_topic_name(body: Body) -> str | None:
    """Return the topic's name once the resource owns a topic in Kafka, else None."""
    status = body.get("status") or {}
    return status.get("topicName") if status.get("ownership") in ("Created", "Adopted") else None


@dataclass(frozen=True)
class AlertTopic:
    """The spec of an AlertTopic and what its status records as ours."""

    connection: str
    name: str
    partitions: int | None
    replication_factor: int | None
    config: Mapping[str, str]
    deletion_policy: str
    adoption_policy: str
    ownership: str | None
    topic_id: str | None
    config_keys: frozenset[str]
    replicas_target: int | None = None

    @classmethod
    def of(cls, body: Body) -> AlertTopic:
        """Read an object that the API server has checked."""
        spec, status = body["spec"], body.get("status") or {}
        return cls(
            connection=connection_name(body),
            name=topic_name(body),
            partitions=spec.get("partitions"),
            replication_factor=spec.get("replicationFactor"),
            config=dict(spec.get("config") or {}),
            deletion_policy=spec.get("deletionPolicy", "Retain"),
            adoption_policy=spec.get("adoptionPolicy", "Refuse"),
            ownership=status.get("ownership"),
            topic_id=status.get("topicId"),
            config_keys=frozenset(status.get("configKeys") or ()),
            replicas_target=(status.get("replicasChange") or {}).get("target"),
        )
