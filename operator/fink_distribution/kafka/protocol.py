"""Requests that librdkafka does not know, sent by kafka-python over a client of its own, which is made when it is first needed."""

from __future__ import annotations

import asyncio
import logging
import threading
import weakref
from typing import Any

from confluent_kafka import KafkaError
from kafka.admin import KafkaAdminClient

from fink_distribution.errors import ReconcileError
from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.kafka.failures import explain
from kafka import errors

# At DEBUG it would log its configuration, the password among it.
logging.getLogger("kafka").setLevel(logging.CRITICAL)


class ProtocolClient:
    """One kafka-python client, used by one thread at a time."""

    def __init__(self, admin: KafkaAdmin, timeout_seconds: float) -> None:
        self._login = admin.login
        self._timeout = timeout_seconds
        self._client: KafkaAdminClient | None = None
        self._lock = threading.Lock()

    async def ask(self, what: str, request: Any) -> Any:
        """Send a request to any broker and return its response.

        Raises
        ------
        ReconcileError
            As `KafkaAdmin` does: Waiting when the brokers are away, Stalled when they refuse.
        """
        try:
            async with asyncio.timeout(2 * self._timeout + 2):
                return await asyncio.to_thread(self._ask, request)
        except (errors.KafkaError, OSError, TimeoutError) as error:
            raise self.refusal(what, error) from error

    def refusal(self, what: str, error: Exception) -> ReconcileError:
        """Return kafka-python's error as ours."""
        if isinstance(error, errors.BrokerResponseError) and error.errno > 0:
            return explain(KafkaError(error.errno, str(error)), what, self._login.bootstrap_servers)
        return explain(KafkaError(KafkaError._TRANSPORT, type(error).__name__), what, self._login.bootstrap_servers)

    def check(self, what: str, code: int, message: str | None) -> None:
        """Raise the error of a response, or of one of its entries, if it has one."""
        if code:
            raise explain(KafkaError(code, message), what, self._login.bootstrap_servers)

    def close(self) -> None:
        """Close the connections; they are made anew when needed."""
        with self._lock:
            self._drop()

    def _ask(self, request: Any) -> Any:
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            manager = self._client._manager

            async def send() -> Any:
                return await manager.send(request, request_timeout_ms=int(self._timeout * 1000))

            try:
                return manager.run(send)
            except Exception:
                # A client that was cut off may go on as if nothing were; a new one looks afresh.
                self._drop()
                raise

    def _drop(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _connect(self) -> KafkaAdminClient:
        login, timeout = self._login, int(self._timeout * 1000)
        return KafkaAdminClient(
            bootstrap_servers=login.bootstrap_servers.split(","),
            client_id="fink-distribution-operator",
            security_protocol="SASL_PLAINTEXT",
            sasl_mechanism=login.mechanism,
            sasl_plain_username=login.username,
            sasl_plain_password=login.password,
            request_timeout_ms=timeout,
            bootstrap_timeout_ms=timeout,
        )


_clients: weakref.WeakKeyDictionary[KafkaAdmin, ProtocolClient] = weakref.WeakKeyDictionary()


def protocol_client(admin: KafkaAdmin) -> ProtocolClient:
    """Return the client that goes with an admin; both have the same login, and end together."""
    found = _clients.get(admin)
    if found is None:
        found = _clients[admin] = ProtocolClient(admin, admin.timeout_seconds)
        # It has a thread of its own, which nobody else would end.
        weakref.finalize(admin, found.close)
    return found
