"""Topics: observe and apply."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaError, TopicPartition
from confluent_kafka.admin import (
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from fink_distribution.errors import Reason, Waiting
from fink_distribution.kafka.admin import KafkaAdmin, each
from fink_distribution.plans.topics import AddPartitions, AlterConfig, CreateTopic, ObservedTopic

_VISIBLE_AFTER_SECONDS = 5.0
_LOOK_EVERY_SECONDS = 0.05


class TopicExists(Waiting):
    """The topic was not there a moment ago: somebody else made it, or a request of ours did whose answer was lost."""


async def observe(admin: KafkaAdmin, names: Iterable[str]) -> Mapping[str, ObservedTopic]:
    """Describe those of the topics that exist, with the configuration that is set on them."""
    found = await _observe(admin, dict.fromkeys(names))
    for topic in found.values():
        if isinstance(topic, BaseException):
            raise topic
    return {name: topic for name, topic in found.items() if isinstance(topic, ObservedTopic)}


async def observe_one(admin: KafkaAdmin, name: str) -> ObservedTopic | None:
    """Describe one topic, or None; asked for together with others that are wanted at the same time."""
    return await admin.gathered(_observe, name, None)


async def _observe(admin: KafkaAdmin, names: Mapping[str, None]) -> Mapping[str, ObservedTopic | BaseException | None]:
    described = await admin.describe_topics(names)
    resources = [
        ConfigResource(ResourceType.TOPIC, name)
        for name, topic in described.items()
        if topic is not None and not isinstance(topic, BaseException)
    ]
    configs: Mapping[ConfigResource, Any] = {}
    if resources:
        configs = await admin.outcomes(
            admin.call("describe_configs", resources),
            lambda resource, future: admin.result_or_none(
                f"reading the configuration of topic {resource.name}", future
            ),
        )
    by_name = {resource.name: entries for resource, entries in configs.items()}
    # A listing of a thousand topics holds the brokers' list of keys once.
    shared: dict[frozenset[str], frozenset[str]] = {}
    return {name: _observed(name, topic, by_name.get(name), shared) for name, topic in described.items()}


def _observed(
    name: str, topic: Any, entries: Any, shared: dict[frozenset[str], frozenset[str]]
) -> ObservedTopic | BaseException | None:
    """Put a topic's description and configuration together; either may be missing, or a failure."""
    for part in (topic, entries):
        if part is None or isinstance(part, BaseException):
            return part
    keys = frozenset(entries)
    return ObservedTopic(
        name=name,
        topic_id=str(topic.topic_id),
        partitions=len(topic.partitions),
        replication_factor=min((len(partition.replicas) for partition in topic.partitions), default=0),
        config={
            key: entry.value
            for key, entry in entries.items()
            if entry.source == ConfigSource.DYNAMIC_TOPIC_CONFIG.value
        },
        assignment=tuple(tuple(node.id for node in partition.replicas) for partition in topic.partitions),
        known_keys=shared.setdefault(keys, keys),
    )


@dataclass(frozen=True, order=True)
class Partition:
    """A partition, by the numbers of its brokers.

    Attributes
    ----------
    leader
        None while it has none.
    """

    number: int
    leader: int | None
    replicas: tuple[int, ...]
    in_sync: tuple[int, ...]


@dataclass(frozen=True)
class DescribedTopic:
    """A topic with the present state of its partitions."""

    topic: ObservedTopic
    partitions: tuple[Partition, ...]


async def describe(admin: KafkaAdmin, name: str) -> DescribedTopic | None:
    """Describe a topic down to its partitions; None when there is none."""
    described, topic = (await admin.describe_topics([name]))[name], await observe_one(admin, name)
    if isinstance(described, BaseException):
        raise described
    if described is None or topic is None:
        return None
    partitions = sorted(
        Partition(each.id, each.leader.id if each.leader else None, _numbers(each.replicas), _numbers(each.isr))
        for each in described.partitions
    )
    return DescribedTopic(topic, tuple(partitions))


def _numbers(nodes: Iterable[Any]) -> tuple[int, ...]:
    return tuple(node.id for node in nodes)


async def create(admin: KafkaAdmin, change: CreateTopic) -> ObservedTopic:
    """Create a topic and wait until the brokers show it.

    A broker may answer that a topic that it has just created is unknown; so it is asked again for a few seconds.
    """
    if not await admin.gathered(_create, change.name, change):
        raise TopicExists(Reason.PROGRESSING, f"topic {change.name} has just come to be; it is looked at again.", 0.1)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _VISIBLE_AFTER_SECONDS
    while (found := await observe_one(admin, change.name)) is None:
        if loop.time() > deadline:
            raise Waiting(
                Reason.PROGRESSING, f"topic {change.name} was created but the brokers do not show it yet.", 1.0
            )
        await asyncio.sleep(_LOOK_EVERY_SECONDS)
    return found


async def _create(admin: KafkaAdmin, changes: Mapping[str, CreateTopic]) -> Mapping[str, bool | BaseException]:
    """Create topics: name -> False for one that exists already."""
    return await admin.outcomes(
        admin.call("create_topics", [new_topic(change) for change in changes.values()]),
        lambda name, future: admin.result_unless(KafkaError.TOPIC_ALREADY_EXISTS, f"creating topic {name}", future),
    )


async def add_partitions(admin: KafkaAdmin, change: AddPartitions) -> None:
    """Grow a topic."""
    await admin.gathered(_add_partitions, change.name, change)


async def _add_partitions(
    admin: KafkaAdmin, changes: Mapping[str, AddPartitions]
) -> Mapping[str, BaseException | None]:
    wanted = [NewPartitions(change.name, change.total) for change in changes.values()]
    return await admin.outcomes(
        admin.call("create_partitions", wanted),
        lambda name, future: admin.result(f"adding partitions to topic {name}", future),
    )


async def alter_config(admin: KafkaAdmin, change: AlterConfig) -> None:
    """Set and reset configuration keys, leaving all others as they are (KIP-339)."""
    await admin.gathered(_alter_config, change.name, change)


async def _alter_config(admin: KafkaAdmin, changes: Mapping[str, AlterConfig]) -> Mapping[str, BaseException | None]:
    found = await admin.outcomes(
        admin.call("incremental_alter_configs", [config_resource(change) for change in changes.values()]),
        lambda resource, future: admin.result(f"changing {changes[resource.name]}", future),
    )
    return {resource.name: answer for resource, answer in found.items()}


def new_topic(change: CreateTopic) -> NewTopic:
    """Return a topic as librdkafka takes it; -1 is the broker's default."""
    return NewTopic(
        change.name,
        num_partitions=change.partitions or -1,
        replication_factor=change.replication_factor or -1,
        config=dict(change.config),
    )


def config_resource(change: AlterConfig) -> ConfigResource:
    """Return changes of a topic's configuration as librdkafka takes them."""
    entries = [
        ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in change.set.items()
    ] + [ConfigEntry(key, None, incremental_operation=AlterConfigOpType.DELETE) for key in change.reset]
    return ConfigResource(ResourceType.TOPIC, change.name, incremental_configs=entries)


async def delete(admin: KafkaAdmin, name: str) -> None:
    """Delete a topic with all its messages, and wait until the brokers show it no more; one that is gone already is fine.

    A broker may show it for a moment longer, and whoever is to make it anew would take it for somebody else's.
    """
    await admin.gathered(_delete, name, None)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _VISIBLE_AFTER_SECONDS
    while await observe_one(admin, name) is not None:
        if loop.time() > deadline:
            return
        await asyncio.sleep(_LOOK_EVERY_SECONDS)


async def _delete(admin: KafkaAdmin, names: Mapping[str, None]) -> Mapping[str, BaseException | None]:
    return await admin.outcomes(
        admin.call("delete_topics", list(names)),
        lambda name, future: admin.result_or_none(f"deleting topic {name}", future),
    )


async def is_empty(admin: KafkaAdmin, topic: ObservedTopic) -> bool:
    """Say whether no partition holds a message."""

    async def offsets(spec: OffsetSpec) -> list[int]:
        asked = {TopicPartition(topic.name, index): spec for index in range(topic.partitions)}
        found = await each(
            admin.call("list_offsets", asked),
            lambda partition, future: admin.result(f"reading the offsets of topic {partition.topic}", future),
        )
        return [found[partition].offset for partition in asked]

    earliest, latest = await asyncio.gather(offsets(OffsetSpec.earliest()), offsets(OffsetSpec.latest()))
    return earliest == latest
