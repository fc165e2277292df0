"""One Kafka cluster, asked and changed through librdkafka's AdminClient."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient

from fink_distribution.errors import ReconcileError
from fink_distribution.kafka.failures import explain, is_absent, is_login_failure, is_tls_failure
from fink_distribution.kafka.gathering import Answer, Gather, Item, Name
from fink_distribution.kafka.handshakes import explain_tls, unusable
from fink_distribution.kafka.hooks import Hooks, is_write, timed
from fink_distribution.kafka.login import Login

T = TypeVar("T")

_LOGIN_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class ClusterFacts:
    """What a cluster says of itself."""

    cluster_id: str
    brokers: int
    controller: str | None


class KafkaAdmin:
    """An asynchronous view of AdminClient.

    Parameters
    ----------
    settings
        librdkafka's, in place of those that follow from the login.

    Every call raises a `fink_distribution.errors.ReconcileError` when it fails: Waiting when the brokers are away, Stalled when
    the credentials, the certificates, the rights or the arguments are wrong. So does making one, when the certificates are none.
    """

    def __init__(
        self,
        login: Login,
        timeout_seconds: float,
        hooks: Hooks = Hooks(),  # noqa: B008 - it is frozen
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.login = login
        self.hooks = hooks
        self.timeout_seconds = timeout_seconds
        self._refused: KafkaError | None = None
        self._gathers: dict[Any, Gather[Any, Any, Any]] = {}
        own_settings = {
            **login.librdkafka(),
            "client.id": "fink-distribution-operator",
            "socket.timeout.ms": int(timeout_seconds * 1000),
            "reconnect.backoff.max.ms": 2000,
            "error_cb": self._note,
            # librdkafka would write to stderr what we say in conditions.
            "log_level": 0,
            **(settings or {}),
        }
        try:
            self._client = AdminClient(own_settings)
        except KafkaException as error:
            raise unusable(error) from error

    def close(self) -> None:
        """End the connections; it blocks until librdkafka's threads have ended."""
        del self._client

    def _note(self, error: KafkaError) -> None:
        if is_login_failure(error) or is_tls_failure(error):
            self._refused = error

    async def result(self, what: str, future: Future[T]) -> T:
        """Wait for one of librdkafka's futures.

        A refused login or certificate does not fail a call, it only times out (the client tries to connect for ever), so the error
        callback is listened to as well.
        """
        await self._settle(what, [future])
        try:
            return future.result()
        except KafkaException as error:
            raise explain(error.args[0], what, self.login.bootstrap_servers) from error

    async def _settle(self, what: str, futures: Collection[Future[Any]]) -> None:
        """Wait until all futures are done, or the login is refused, or too much time has passed."""
        if all(future.done() for future in futures):
            return
        self._refused = None
        settled = _all_done(futures)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.timeout_seconds + 2
        while not settled.is_set():
            # Not wait_for: before Python 3.12 it can swallow a cancellation, and a loop that is ended by one would go on for ever.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOGIN_POLL_SECONDS):
                    await settled.wait()
            self._client.poll(0)
            if self._refused is not None and not settled.is_set():
                raise await self._refusal(self._refused, what)
            if loop.time() > deadline and not settled.is_set():
                raise explain(KafkaError(KafkaError._TIMED_OUT), what, self.login.bootstrap_servers)

    async def outcomes(
        self, futures: Mapping[T, Future[Any]], wait: Callable[[T, Future[Any]], Awaitable[Any]]
    ) -> dict[T, Any | BaseException]:
        """Wait for a request's futures: what each ended with, an exception as a value, so no neighbour is cut off."""
        keys = list(futures)
        if keys:
            await self._settle("waiting for Kafka's answers", futures.values())
        results = await asyncio.gather(*(wait(key, futures[key]) for key in keys), return_exceptions=True)
        return dict(zip(keys, results, strict=True))

    async def _refusal(self, error: KafkaError, what: str) -> ReconcileError:
        if self.login.tls is not None and is_tls_failure(error):
            return await explain_tls(error, self.login.bootstrap_servers, self.login.tls)
        return explain(error, what, self.login.bootstrap_servers)

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

    async def gathered(
        self,
        request: Callable[[KafkaAdmin, Mapping[Name, Item]], Awaitable[Mapping[Name, Answer | BaseException]]],
        name: Name,
        item: Item,
    ) -> Answer:
        """Have one item answered by a request that is made for it and for all others that come within a few milliseconds.

        Parameters
        ----------
        request
            A function of a module; items of the same function are gathered.
        name
            What tells the items of one request apart.
        """
        gather: Gather[Any, Any, Any] | None = self._gathers.get(request)
        if gather is None:
            gather = self._gathers[request] = Gather(functools.partial(request, self))
        found: Answer = await gather(name, item)
        return found

    def call(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Start a request; it returns a future, or a dictionary of futures."""
        if is_write(method):
            self.hooks.before_write()
        start = getattr(self._client, method)
        return timed(
            method, lambda: start(*arguments, request_timeout=self.timeout_seconds, **options), self.hooks.after
        )

    async def facts(self) -> ClusterFacts:
        """Ask the cluster for its id, how many brokers it has, and which of them is the controller."""
        found = await self._describe_cluster()
        controller = found.controller
        return ClusterFacts(
            found.cluster_id, len(found.nodes), f"{controller.host}:{controller.port}" if controller else None
        )

    async def require_describe(self, what: str) -> None:
        """Make sure that we may Describe the cluster, where a listing would not say that we may not."""
        found = await self._describe_cluster(include_authorized_operations=True)
        if AclOperation.DESCRIBE not in (found.authorized_operations or ()):
            raise explain(KafkaError(KafkaError.CLUSTER_AUTHORIZATION_FAILED), what, self.login.bootstrap_servers)

    async def _describe_cluster(self, **options: bool) -> Any:
        return await self.result("asking the cluster for its id", self.call("describe_cluster", **options))

    async def topic_names(self) -> frozenset[str]:
        """List the topics. The client's own listing blocks, hence the thread."""
        try:
            metadata = await asyncio.to_thread(self._client.list_topics, timeout=self.timeout_seconds)
        except KafkaException as error:
            raise explain(error.args[0], "listing the topics", self.login.bootstrap_servers) from error
        return frozenset(metadata.topics)

    async def describe_topics(self, names: Iterable[str]) -> Mapping[str, Any | BaseException]:
        """Describe topics: name -> TopicDescription, None for one that does not exist, or why it cannot be described."""
        wanted = sorted(names)
        if not wanted:
            return {}
        futures = self.call("describe_topics", TopicCollection(wanted))
        return await self.outcomes(
            futures, lambda name, future: self.result_or_none(f"describing topic {name}", future)
        )


async def each(futures: Mapping[T, Future[Any]], wait: Callable[[T, Future[Any]], Awaitable[Any]]) -> dict[T, Any]:
    """Wait for a request's futures; the first failure is raised after all have ended, so no neighbour is cut off."""
    keys = list(futures)
    results = await asyncio.gather(*(wait(key, futures[key]) for key in keys), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return dict(zip(keys, results, strict=True))


def _all_done(futures: Collection[Future[Any]]) -> asyncio.Event:
    """Return an event that is set in this loop once all of librdkafka's futures are done; they end in its own thread."""
    loop, settled = asyncio.get_running_loop(), asyncio.Event()
    left = len(futures)
    lock = threading.Lock()

    def one(_: Future[Any]) -> None:
        nonlocal left
        with lock:
            left -= 1
            is_last = left == 0
        if is_last and not loop.is_closed():
            loop.call_soon_threadsafe(settled.set)

    for future in futures:
        future.add_done_callback(one)
    return settled


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
