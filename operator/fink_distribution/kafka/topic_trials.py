"""What Kafka would say to a change of a topic, without making it."""

from __future__ import annotations

from typing import Any

from confluent_kafka.admin import ConfigResource, NewPartitions, ResourceType

from fink_distribution.errors import Stalled
from fink_distribution.kafka.admin import KafkaAdmin, each
from fink_distribution.kafka.topics import config_resource, new_topic
from fink_distribution.plans.topics import AddPartitions, AlterConfig, CreateTopic, TopicChange


async def refusal(admin: KafkaAdmin, change: TopicChange) -> Stalled | None:
    """Return why Kafka would refuse a change, or None when it would not.

    A change of the replicas cannot be tried (AlterPartitionReassignments has no validate_only), so nothing is said of it.
    """
    calls: dict[Any, Any] = {}
    match change:
        case CreateTopic():
            calls = admin.call("create_topics", [new_topic(change)], validate_only=True)
        case AddPartitions():
            calls = admin.call("create_partitions", [NewPartitions(change.name, change.total)], validate_only=True)
        case AlterConfig():
            calls = admin.call("incremental_alter_configs", [config_resource(change)], validate_only=True)
    try:
        await each(calls, lambda _, future: admin.result(f"trying to {_verb(change)}", future))
    except Stalled as error:
        return error
    return None


def _verb(change: TopicChange) -> str:
    return str(change) if isinstance(change, CreateTopic) else f"change {change}"


async def known_keys(admin: KafkaAdmin) -> frozenset[str]:
    """Return the keys of configuration that the brokers have for topics; none when the cluster has no topic to ask about."""
    names = sorted(await admin.topic_names())
    resources = [ConfigResource(ResourceType.TOPIC, name) for name in names[:1]]
    if not resources:
        return frozenset()
    what = f"reading the configuration of topic {names[0]}"
    found = await each(admin.call("describe_configs", resources), lambda _, future: admin.result_or_none(what, future))
    return frozenset(key for entries in found.values() for key in entries or ())
