"""One Kafka cluster, asked and changed through librdkafka's AdminClient."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient

from fink_distribution.kafka.failures import explain, is_absent, is_login_failure

T = TypeVar("T")

_LOGIN_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class ClusterFacts:
    """What a cluster says of itself."""

    cluster_id: str
    brokers: int


@dataclass(frozen=True)
class Login:
    """Where a cluster is and who we are there. `password` never leaves the process."""

    bootstrap_servers: str
    mechanism: str
    username: str
    password: str

    def __repr__(self) -> str:
        return f"Login({self.bootstrap_servers}, {self.mechanism}, {self.username})"


class KafkaAdmin:
    """An asynchronous view of AdminClient.

    Parameters
    ----------
    settings
        librdkafka's, in place of those that follow from the login.

    Every call raises a `fink_distribution.errors.ReconcileError` when it fails: Waiting when the brokers are away, Stalled when
    the credentials, the rights or the arguments are wrong.
    """

    def __init__(self, login: Login, timeout_seconds: float, settings: Mapping[str, str] | None = None) -> None:
        self.login = login
        self._timeout = timeout_seconds
        self._refused: KafkaError | None = None
        self._client = AdminClient(
            {
                "bootstrap.servers": login.bootstrap_servers,
                "security.protocol": "SASL_PLAINTEXT",
                "sasl.mechanism": login.mechanism,
                "sasl.username": login.username,
                "sasl.password": login.password,
                "client.id": "fink-distribution-operator",
                "socket.timeout.ms": int(timeout_seconds * 1000),
                "reconnect.backoff.max.ms": 2000,
                "error_cb": self._note,
                # librdkafka would write to stderr what we say in conditions.
                "log_level": 0,
                **(settings or {}),
            }
        )

    def _note(self, error: KafkaError) -> None:
        if is_login_failure(error):
            self._refused = error

    async def result(self, what: str, future: Future[T]) -> T:
        """Wait for one of librdkafka's futures.

        A refused login does not fail a call, it only times out (the client tries to connect for ever), so the error callback is
        listened to as well.
        """
        self._refused = None
        waiter = asyncio.wrap_future(future)
        try:
            async with asyncio.timeout(self._timeout + 2):
                while not waiter.done():
                    await asyncio.wait([waiter], timeout=_LOGIN_POLL_SECONDS)
                    self._client.poll(0)
                    if self._refused is not None and not waiter.done():
                        waiter.add_done_callback(_forget)
                        raise explain(self._refused, what, self.login.bootstrap_servers)
                return waiter.result()
        except TimeoutError:
            waiter.add_done_callback(_forget)
            raise explain(KafkaError(KafkaError._TIMED_OUT), what, self.login.bootstrap_servers) from None
        except KafkaException as error:
            raise explain(error.args[0], what, self.login.bootstrap_servers) from error

    async def result_or_none(self, what: str, future: Future[T]) -> T | None:
        """Wait for a future; None when the topic or the user does not exist."""
        settled, absent = _catch(future, is_absent)
        found = await self.result(what, settled)
        return None if absent else found

    async def result_unless(self, code: int, what: str, future: Future[Any]) -> bool:
        """Wait for a future; False when it ended with this error."""
        settled, caught = _catch(future, lambda error: error.code() == code)
        await self.result(what, settled)
        return not caught

    def call(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Start a request; it returns a future, or a dictionary of futures."""
        return getattr(self._client, method)(*arguments, request_timeout=self._timeout, **options)

    async def facts(self) -> ClusterFacts:
        """Ask the cluster for its id and how many brokers it has."""
        found = await self._describe_cluster()
        return ClusterFacts(found.cluster_id, len(found.nodes))

    async def require_describe(self, what: str) -> None:
        """Make sure that we may Describe the cluster.

        librdkafka 2.16 aborts the whole process when DescribeUserScramCredentials is refused, so it must not be asked in vain.
        """
        found = await self._describe_cluster(include_authorized_operations=True)
        if AclOperation.DESCRIBE not in (found.authorized_operations or ()):
            raise explain(KafkaError(KafkaError.CLUSTER_AUTHORIZATION_FAILED), what, self.login.bootstrap_servers)

    async def _describe_cluster(self, **options: bool) -> Any:
        return await self.result("asking the cluster for its id", self.call("describe_cluster", **options))

    async def topic_names(self) -> frozenset[str]:
        """List the topics. The client's own listing blocks, hence the thread."""
        try:
            metadata = await asyncio.to_thread(self._client.list_topics, timeout=self._timeout)
        except KafkaException as error:
            raise explain(error.args[0], "listing the topics", self.login.bootstrap_servers) from error
        return frozenset(metadata.topics)

    async def describe_topics(self, names: Iterable[str]) -> Mapping[str, Any]:
        """Describe those of the topics that exist: name -> TopicDescription."""
        wanted = sorted(names)
        if not wanted:
            return {}
        futures = self.call("describe_topics", TopicCollection(wanted))
        found = await each(futures, lambda name, future: self.result_or_none(f"describing topic {name}", future))
        return {name: topic for name, topic in found.items() if topic is not None}


async def each(futures: Mapping[T, Future[Any]], wait: Callable[[T, Future[Any]], Awaitable[Any]]) -> dict[T, Any]:
    """Wait for a request's futures; the first failure is raised after all have ended, so no neighbour is cut off."""
    keys = list(futures)
    results = await asyncio.gather(*(wait(key, futures[key]) for key in keys), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return dict(zip(keys, results, strict=True))


def _catch(future: Future[T], expected: Callable[[KafkaError], bool]) -> tuple[Future[T | None], list[KafkaError]]:
    """Return a future that ends well, with None, where the first ends with an expected error; and the error, once it came."""
    settled: Future[T | None] = Future()
    caught: list[KafkaError] = []

    def settle(done: Future[T]) -> None:
        error = done.exception()
        if error is None:
            settled.set_result(done.result())
        elif isinstance(error, KafkaException) and expected(error.args[0]):
            caught.append(error.args[0])
            settled.set_result(None)
        else:
            settled.set_exception(error)

    future.add_done_callback(settle)
    return settled, caught


def _forget(future: asyncio.Future[Any]) -> None:
    """Read the outcome of a call that nobody waits for any more, so that asyncio does not complain."""
    if not future.cancelled():
        future.exception()
