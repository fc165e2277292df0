"""Requests that librdkafka does not know, sent by kafka-python over a client of its own, which is made when it is first needed.

So is the import: it costs most of a second and 10 MiB, which an operator without such requests need not pay.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import weakref
from collections.abc import Callable
from typing import Any

from confluent_kafka import KafkaError

from fink_distribution.kafka.admin import KafkaAdmin, Login
from fink_distribution.kafka.failures import explain

# At DEBUG it would log its configuration, the password among it.
logging.getLogger("kafka").setLevel(logging.CRITICAL)


class ProtocolClient:
    """One kafka-python client, used by one thread at a time."""

    def __init__(self, login: Login, timeout_seconds: float) -> None:
        self._login = login
        self._timeout = timeout_seconds
        self._client: Any = None
        self._lock = threading.Lock()

    async def ask(self, what: str, request: Callable[[], Any]) -> Any:
        """Send a request to any broker and return its response.

        Parameters
        ----------
        what
            What is tried, as in "listing the quotas".
        request
            Makes the request; called in the thread that sends it, where kafka-python may be imported.

        Raises
        ------
        ReconcileError
            As `KafkaAdmin` does: Waiting when the brokers are away, Stalled when they refuse.
        """
        try:
            async with asyncio.timeout(2 * self._timeout + 2):
                return await asyncio.to_thread(self._ask, request)
        except TimeoutError as error:
            raise explain(KafkaError(KafkaError._TIMED_OUT), what, self._login.bootstrap_servers) from error
        except _Failed as error:
            raise explain(error.error, what, self._login.bootstrap_servers) from error

    def check(self, what: str, code: int, message: str | None) -> None:
        """Raise the error of a response, or of one of its entries, if it has one."""
        if code:
            raise explain(KafkaError(code, message), what, self._login.bootstrap_servers)

    def close(self) -> None:
        """Close the connections; they are made anew when needed."""
        with self._lock:
            self._drop()

    def _ask(self, request: Callable[[], Any]) -> Any:
        from kafka import errors

        with self._lock:
            try:
                if self._client is None:
                    self._client = self._connect()
                manager, message = self._client._manager, request()

                async def send() -> Any:
                    return await manager.send(message, request_timeout_ms=int(self._timeout * 1000))

                return manager.run(send)
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
                bootstrap_servers=login.bootstrap_servers.split(","),
                client_id="fink-distribution-operator",
                security_protocol="SASL_PLAINTEXT",
                sasl_mechanism=login.mechanism,
                sasl_plain_username=login.username,
                sasl_plain_password=login.password,
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
        found = _clients[admin] = ProtocolClient(admin.login, admin.timeout_seconds)
        # It has a thread of its own, which nobody else would end.
        weakref.finalize(admin, found.close)
    return found
