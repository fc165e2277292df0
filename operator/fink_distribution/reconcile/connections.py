"""One client for each Kafka cluster, shared by all that name its KafkaConnection."""

from __future__ import annotations

import base64
from typing import Any

from fink_distribution.cluster.api import Cluster
from fink_distribution.errors import Reason, Stalled, Waiting
from fink_distribution.kafka.admin import KafkaAdmin, Login
from fink_distribution.kafka.hooks import Hooks
from fink_distribution.reconcile.registry import Registry
from fink_distribution.resources.conditions import is_ready, why_not_ready
from fink_distribution.resources.kafka_connection import KafkaConnection
from fink_distribution.resources.keys import Body, Key, Kind, is_deleted
from fink_distribution.settings import Settings


class Connections:
    """The Kafka clients of this process, by the name of their KafkaConnection."""

    def __init__(
        self,
        settings: Settings,
        cluster: Cluster,
        registry: Registry,
        hooks: Hooks = Hooks(),  # noqa: B008 - it is frozen
    ) -> None:
        self._settings = settings
        self._hooks = hooks
        self._cluster = cluster
        self._registry = registry
        self._clients: dict[str, KafkaAdmin] = {}

    def declared(self, name: str) -> KafkaConnection:
        """Return a connection's spec; raises Waiting when there is none."""
        return KafkaConnection.of(self._body(name))

    async def admin(self, name: str) -> KafkaAdmin:
        """Return the client of a connection that is Ready, or that is going away and still needed by what goes with it.

        Raises
        ------
        Waiting
            There is no such KafkaConnection, or it is not Ready; its arrival wakes who waits.
        """
        body = self._body(name)
        client = self._clients.get(name)
        if is_ready(body) or (is_deleted(body) and client is not None):
            # After a restart the status says Ready, and stays as it is, before there is a client.
            return client or await self.open(KafkaConnection.of(body))
        raise Waiting(
            Reason.DEPENDENCY_NOT_READY,
            f"KafkaConnection {self._settings.namespace}/{name} is not Ready ({why_not_ready(body)}).",
        )

    def cluster_id(self, name: str) -> str | None:
        """Return the id that the cluster last answered with."""
        found: str | None = (self._body(name).get("status") or {}).get("clusterId")
        return found

    def unreachable(self, name: str) -> None:
        """Have a connection looked at because a call through it failed."""
        self._registry.wake(Key(Kind.KAFKA_CONNECTION, self._settings.namespace, name))

    async def open(self, connection: KafkaConnection) -> KafkaAdmin:
        """Return a client with the credentials that the Secret holds now."""
        login = await self._login(connection)
        client = self._clients.get(connection.name)
        if client is None or client.login != login:
            client = KafkaAdmin(login, self._settings.kafka_timeout_seconds, self._hooks)
            self._clients[connection.name] = client
        return client

    def close(self, name: str) -> None:
        """Forget a connection's client."""
        self._clients.pop(name, None)

    def _body(self, name: str) -> Body:
        body = self._registry.get(Key(Kind.KAFKA_CONNECTION, self._settings.namespace, name))
        if body is None:
            raise Waiting(
                Reason.DEPENDENCY_NOT_READY,
                f"KafkaConnection {name} does not exist in namespace {self._settings.namespace}. Create it there, or name another in "
                "connectionRef.",
            )
        return body

    async def _login(self, connection: KafkaConnection) -> Login:
        namespace = self._settings.namespace
        secret = await self._cluster.get("v1", "Secret", namespace, connection.secret_name)
        if secret is None:
            raise Stalled(
                Reason.CREDENTIALS_MISSING,
                f"Secret {namespace}/{connection.secret_name} does not exist. Create it with the keys {connection.username_key} and "
                f"{connection.password_key}.",
            )
        return Login(
            connection.bootstrap_servers,
            connection.mechanism,
            _entry(secret, connection.username_key),
            _entry(secret, connection.password_key),
        )


def _entry(secret: dict[str, Any], key: str) -> str:
    data = secret.get("data") or {}
    if not data.get(key):
        name = f"{secret['metadata']['namespace']}/{secret['metadata']['name']}"
        has = ", ".join(sorted(data)) or "none"
        raise Stalled(
            Reason.CREDENTIALS_MISSING, f"Secret {name} has no key {key} (it has: {has}). Add it, or name another key."
        )
    # An editor's trailing newline is never part of a password that a person typed.
    return base64.b64decode(data[key]).decode().rstrip("\r\n")
