"""Reassignments of partitions: list and begin (KIP-455).

librdkafka has no call for either, so they go through the admin client of kafka-python.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from confluent_kafka import KafkaError

from fink_distribution.errors import ReconcileError
from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.kafka.failures import explain
from fink_distribution.kafka.login import Login
from fink_distribution.plans.replicas import Move, Placement
from fink_distribution.plans.topics import ChangeReplicas, ObservedTopic

T = TypeVar("T")

_TIMEOUT_SECONDS = 10.0


class _Client:
    """kafka-python's admin client for one login, made when it is first needed, and given up when a call fails.

    An unused one costs a thread, and while Kafka is away it would try to connect without end. Its calls block.
    """

    def __init__(self, login: Login) -> None:
        self._login = login
        self._lock = threading.Lock()
        self._client: Any = None

    def run(self, what: str, use: Callable[[Any], T]) -> T:
        """Make a call, and raise its errors as ours."""
        # Half a second and 20 MiB, which an operator whose topics keep their replicas never needs.
        from kafka.errors import KafkaError as ClientError

        with self._lock:
            try:
                if self._client is None:
                    self._client = _connect(self._login)
                return use(self._client)
            except ClientError as error:
                self._close()
                raise _explain(error, what, self._login.bootstrap_servers) from error

    def close(self) -> None:
        """End its thread and its connections."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()


_CLIENTS: weakref.WeakKeyDictionary[KafkaAdmin, _Client] = weakref.WeakKeyDictionary()


def _connect(login: Login) -> Any:
    from kafka.admin import KafkaAdminClient

    # What it logs is said in conditions.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    milliseconds = int(_TIMEOUT_SECONDS * 1000)
    return KafkaAdminClient(
        bootstrap_servers=login.bootstrap_servers.split(","),
        client_id="fink-distribution-operator",
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism=login.mechanism,
        sasl_plain_username=login.username,
        sasl_plain_password=login.password,
        request_timeout_ms=milliseconds,
        bootstrap_timeout_ms=milliseconds,
    )


def _client(admin: KafkaAdmin) -> _Client:
    client = _CLIENTS.get(admin)
    if client is None:
        client = _CLIENTS[admin] = _Client(admin.login)
        weakref.finalize(admin, client.close)
    return client


def _explain(error: Any, what: str, bootstrap_servers: str) -> ReconcileError:
    # Errors of the protocol have its number, the same as librdkafka's; those of the client itself have none that it knows.
    code = error.errno if isinstance(getattr(error, "errno", None), int) else -1
    return explain(KafkaError(code if code > 0 else KafkaError._TRANSPORT), what, bootstrap_servers)


async def _run(admin: KafkaAdmin, what: str, use: Callable[[Any], T]) -> T:
    try:
        # The client keeps its own time; this one is for a thread that it never gives back.
        async with asyncio.timeout(3 * _TIMEOUT_SECONDS):
            return await asyncio.to_thread(_client(admin).run, what, use)
    except TimeoutError:
        raise explain(KafkaError(KafkaError._TIMED_OUT), what, admin.login.bootstrap_servers) from None


async def placement(admin: KafkaAdmin, topic: ObservedTopic) -> Placement:
    """List the brokers that are up and the running reassignments of a topic."""
    wanted = {topic.name: list(range(topic.partitions))}
    found, cluster = await asyncio.gather(
        _run(
            admin,
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

        wanted = {TopicPartition(change.name, number): list(replicas) for number, replicas in change.assignment.items()}
        return {place.partition: error for place, error in client.alter_partition_reassignments(wanted).items()}

    refused = {number: error for number, error in (await _run(admin, what, alter)).items() if error is not None}
    for number in sorted(refused):
        raise _explain(refused[number], f"{what}, partition {number}", admin.login.bootstrap_servers)
