"""What a person does to topics and quotas beside the operator."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from confluent_kafka import Producer, TopicPartition
from confluent_kafka.admin import (
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
)

from cluster.operator.scene import Scene
from fink_distribution.kafka import quotas
from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.kafka.login import Login
from fink_distribution.plans.quotas import AlterQuotas
from testbed.fixtures import wait_for


def make_topic(scene: Scene, topic: str, partitions: int = 2) -> None:
    """Create a topic."""
    scene.admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result()
    wait_for(lambda: topic in scene.topics(), what=f"{topic} is there")


def delete_topic(scene: Scene, topic: str) -> None:
    """Delete a topic."""
    scene.admin.delete_topics([topic])[topic].result()
    wait_for(lambda: topic not in scene.topics(), what=f"{topic} is gone")


def publish(scene: Scene, topic: str, messages: int = 1, size: int = 5) -> None:
    """Write messages of `size` bytes."""
    producer = Producer(dict(scene.admin_config))
    for _ in range(messages):
        producer.produce(topic, b"alert"[:size].ljust(size, b"."))
    assert producer.flush(30) == 0


def messages(scene: Scene, topic: str) -> int:
    """Return how many messages a topic has in all its partitions."""
    partitions = scene.admin.list_topics(topic, timeout=10).topics[topic].partitions
    asked = {TopicPartition(topic, number): OffsetSpec.latest() for number in partitions}
    return sum(future.result().offset for future in scene.admin.list_offsets(asked).values())


def set_config(
    scene: Scene, name: str, values: Mapping[str, str | None], kind: ResourceType = ResourceType.TOPIC
) -> None:
    """Set keys of a topic, or of a broker; None returns one to the default."""
    entries = [
        ConfigEntry(
            key,
            value,
            incremental_operation=AlterConfigOpType.DELETE if value is None else AlterConfigOpType.SET,
        )
        for key, value in values.items()
    ]
    resource = ConfigResource(kind, name, incremental_configs=entries)
    scene.admin.incremental_alter_configs([resource])[resource].result()


def replicas(scene: Scene, topic: str) -> dict[int, list[int]]:
    """Return the brokers that hold each partition's copies."""
    found = scene.admin.list_topics(topic, timeout=10).topics[topic]
    return {number: list(partition.replicas) for number, partition in sorted(found.partitions.items())}


def kafka_of(scene: Scene) -> KafkaAdmin:
    """Return Kafka as its super user sees it, by the operator's own client."""
    config = scene.admin_config
    words = (config[word] for word in ("bootstrap.servers", "sasl.mechanism", "sasl.username", "sasl.password"))
    return KafkaAdmin(Login(*words), 10)


def quotas_of(kafka: KafkaAdmin, user: str) -> dict[str, float]:
    """Return a user's quotas, by the listing of all."""
    return dict(asyncio.run(quotas.observe(kafka)).get(user, {}))


def alter_quotas(kafka: KafkaAdmin, user: str, *unset: str, **set_: int) -> None:
    """Set and unset quotas of a user, by Kafka's keys."""
    asyncio.run(quotas.alter(kafka, AlterQuotas(user, set_, unset)))
