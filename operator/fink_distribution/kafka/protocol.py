"""Requests that librdkafka does not know, sent by kafka-python over a client of its own, which is made when it is first needed.

So is the import: it costs most of a second and 10 MiB, which an operator without such requests need not pay.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from confluent_kafka import KafkaError

from fink_distribution.errors import ReconcileError
from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.kafka.failures import explain
from fink_distribution.kafka.hooks import OK, Hooks, is_write

T = TypeVar("T")

# At DEBUG it would log its configuration, the password among it.
logging.getLogger("kafka").setLevel(logging.CRITICAL)


class ProtocolClient:
    """One kafka-python client, used by one thread at a time."""

    def __init__(self, admin: KafkaAdmin) -> None:
        self._login = admin.login
        self._hooks: Hooks = admin.hooks
        self._timeout = admin.timeout_seconds
        self._client: Any = None
        self._lock = threading.Lock()

    async def ask(self, name: str, what: str, request: Callable[[], Any]) -> Any:
        """Send a request to any broker and return its response; see `use`.

        Parameters
        ----------
        request
            Makes the request; called in the thread that sends it, where kafka-python may be imported.
        """

        def send(client: Any) -> Any:
            manager, message = client._manager, request()

            async def sent() -> Any:
                return await manager.send(message, request_timeout_ms=int(self._timeout * 1000))

            return manager.run(sent)

        return await self.use(name, what, send)

    async def use(self, name: str, what: str, call: Callable[[Any], T]) -> T:
        """Have something done with kafka-python's admin client, and return what it returns.

        Parameters
        ----------
        name
            The request's name, as librdkafka would call it: what does not begin with describe_ or list_ is a write, and is asked for.
        what
            What is tried, as in "listing the quotas".
        call
            Called in a thread, where kafka-python may be imported.

        Raises
        ------
        ReconcileError
            As `KafkaAdmin` does: Waiting when the brokers are away, Stalled when they refuse.
        """
        if is_write(name):
            self._hooks.before_write()
        begun, result = time.monotonic(), OK
        try:
            return await self._done(what, call)
        except ReconcileError as error:
            result = error.reason
            raise
        finally:
            self._hooks.after(name, result, time.monotonic() - begun)

    async def _done(self, what: str, call: Callable[[Any], T]) -> T:
        try:
            async with asyncio.timeout(2 * self._timeout + 2):
                return await asyncio.to_thread(self._call, call)
        except TimeoutError as error:
            raise explain(KafkaError(KafkaError._TIMED_OUT), what, self._login.bootstrap_servers) from error
        except _Failed as error:
            raise explain(error.error, what, self._login.bootstrap_servers) from error

    def failure(self, what: str, code: int, message: str | None) -> ReconcileError | None:
        """Return the error of one of a response's entries, if it has one."""
        return explain(KafkaError(code, message), what, self._login.bootstrap_servers) if code else None

    def check(self, what: str, code: int, message: str | None) -> None:
        """Raise the error of a response, if it has one."""
        if (failure := self.failure(what, code, message)) is not None:
            raise failure

    def close(self) -> None:
        """Close the connections; they are made anew when needed."""
        with self._lock:
            self._drop()

    def _call(self, call: Callable[[Any], T]) -> T:
        from kafka import errors

        with self._lock:
            try:
                if self._client is None:
                    self._client = self._connect()
                return call(self._client)
            except (errors.KafkaError, OSError) as error:
                # A client that was cut off may go on as if nothing were; a new one looks afresh.
                self._drop()
                if isinstance(error, errors.BrokerResponseError) and error.errno > 0:
                    raise _Failed(KafkaError(error.errno, str(error))) from error
                raise _Failed(KafkaError(KafkaError._TRANSPORT, type(error).__name__)) from error

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connect(self) -> Any:
        from kafka.admin import KafkaAdminClient
        from kafka.net.compat import KafkaNetClient

        login, timeout = self._login, int(self._timeout * 1000)
        started: list[Any] = []

        def start(**settings: Any) -> Any:
            started.append(KafkaNetClient(**settings))
            return started[0]

        try:
            return KafkaAdminClient(
                **login.kafka_python(),
                client_id="fink-distribution-operator",
                request_timeout_ms=timeout,
                bootstrap_timeout_ms=timeout,
                kafka_client=start,
            )
        except Exception:
            # It does not end its thread itself when it finds no broker.
            for client in started:
                client.close()
                client._manager._net.stop()
            raise


class _Failed(Exception):  # noqa: N818 - carries an error out of the thread
    def __init__(self, error: KafkaError) -> None:
        super().__init__(str(error))
        self.error = error


_clients: weakref.WeakKeyDictionary[KafkaAdmin, ProtocolClient] = weakref.WeakKeyDictionary()


def protocol_client(admin: KafkaAdmin) -> ProtocolClient:
    """Return the client that goes with an admin; both have the same login, and end together."""
    found = _clients.get(admin)
    if found is None:
        found = _clients[admin] = ProtocolClient(admin)
        # It has a thread of its own, which nobody else would end.
        weakref.finalize(admin, found.close)
    return found


def end_protocol_client(admin: KafkaAdmin) -> None:
    """End the client that goes with an admin, if there is one, in this thread; the garbage collector may come in any."""
    if (client := _clients.pop(admin, None)) is not None:
        client.close()
