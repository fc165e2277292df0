"""Reassignments of partitions: list and begin (KIP-455).

librdkafka has no call for either, so they go through the admin client of kafka-python.
"""

from __future__ import annotations

import asyncio
from typing import Any

from confluent_kafka import KafkaError

from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.kafka.failures import explain
from fink_distribution.kafka.protocol import protocol_client
from fink_distribution.plans.replicas import Move, Placement
from fink_distribution.plans.topics import ChangeReplicas, ObservedTopic


async def placement(admin: KafkaAdmin, topic: ObservedTopic) -> Placement:
    """List the brokers that are up and the running reassignments of a topic."""
    wanted = {topic.name: list(range(topic.partitions))}
    found, cluster = await asyncio.gather(
        protocol_client(admin).use(
            "list_partition_reassignments",
            f"listing the reassignments of topic {topic.name}",
            lambda client: client.list_partition_reassignments(wanted),
        ),
        admin.result("listing the brokers", admin.call("describe_cluster")),
    )
    moves = {
        place.partition: Move(tuple(each["replicas"]), tuple(each["adding_replicas"]), tuple(each["removing_replicas"]))
        for place, each in found.items()
    }
    return Placement(tuple(sorted(node.id for node in cluster.nodes)), moves)


async def begin(admin: KafkaAdmin, change: ChangeReplicas) -> None:
    """Begin a reassignment; the brokers copy the data afterwards, and it may take hours.

    Raises
    ------
    ReconcileError
        For the first partition that was refused; the others are under way.
    """
    what = f"changing {change}"

    def alter(client: Any) -> dict[int, Any]:
        from kafka import TopicPartition

        # None takes a reassignment back.
        wanted = {
            TopicPartition(change.name, number): list(replicas) or None
            for number, replicas in change.assignment.items()
        }
        return {place.partition: error for place, error in client.alter_partition_reassignments(wanted).items()}

    answers = await protocol_client(admin).use("alter_partition_reassignments", what, alter)
    refused = {number: error for number, error in answers.items() if error is not None}
    for number in sorted(refused):
        code = getattr(refused[number], "errno", KafkaError.UNKNOWN)
        raise explain(KafkaError(code), f"{what}, partition {number}", admin.login.bootstrap_servers)
