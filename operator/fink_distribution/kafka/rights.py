"""What the login itself may do, as the cluster tells (KIP-430)."""

from __future__ import annotations

from collections.abc import Iterable

from confluent_kafka import TopicCollection
from confluent_kafka.admin import AclOperation

from fink_distribution.kafka.admin import KafkaAdmin


async def on_the_cluster(admin: KafkaAdmin) -> frozenset[str]:
    """Return the operations, in the words of KafkaAcls: Alter, DescribeConfigs."""
    asked = admin.call("describe_cluster", include_authorized_operations=True)
    found = await admin.result("asking what the login may do", asked)
    return _words(found.authorized_operations)


async def on_topic(admin: KafkaAdmin, name: str) -> frozenset[str] | None:
    """Return the operations on a topic; None when there is no such topic."""
    asked = admin.call("describe_topics", TopicCollection([name]), include_authorized_operations=True)
    found = await admin.result_or_none(f"asking what the login may do with topic {name}", asked[name])
    return None if found is None else _words(found.authorized_operations)


def _words(operations: Iterable[AclOperation] | None) -> frozenset[str]:
    return frozenset("".join(map(str.capitalize, operation.name.split("_"))) for operation in operations or ())
