"""One client for each Kafka cluster, shared by all that name its KafkaConnection."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from fink_distribution.cluster.api import Cluster
from fink_distribution.errors import Reason, ReconcileError, Waiting
from fink_distribution.kafka import versions
from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.kafka.hooks import Hooks
from fink_distribution.kafka.identity import Identity
from fink_distribution.kafka.versions import Versions
from fink_distribution.reconcile.logins import read_login
from fink_distribution.reconcile.registry import Registry
from fink_distribution.resources.conditions import is_ready, why_not_ready
from fink_distribution.resources.kafka_connection import ClientAccess, KafkaConnection
from fink_distribution.resources.keys import Body, Key, Kind, is_deleted
from fink_distribution.settings import Settings

logger = logging.getLogger(__name__)

_VERSIONS_LAST_SECONDS = 600.0
_looked_at: ContextVar[str | None] = ContextVar("looked_at", default=None)


@dataclass
class _Client:
    admin: KafkaAdmin
    identity: Identity
    versions: Versions | None = None
    versions_asked: float = float("-inf")


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
        self._clients: dict[str, _Client] = {}

    def declared(self, name: str) -> KafkaConnection:
        """Return a connection's spec; raises Waiting when there is none."""
        return KafkaConnection.of(self._body(name))

    async def admin(self, name: str) -> KafkaAdmin:
        """Return the client of a connection that is Ready, or that is going away and still needed by what goes with it.

        The cluster is asked for its id each time: what stands behind an address may have changed since the last look.

        Raises
        ------
        Waiting
            There is no such KafkaConnection, or it is not Ready, or another cluster answers; its arrival wakes who waits.
        """
        body = self._body(name)
        client = self._clients.get(name)
        if client is not None and _looked_at.get() == name:
            return client.admin
        # One that is going away is still needed by what has to be cleaned up through it, also after a restart.
        if not is_ready(body) and not is_deleted(body):
            raise Waiting(
                Reason.DEPENDENCY_NOT_READY,
                f"KafkaConnection {self._settings.namespace}/{name} is not Ready ({why_not_ready(body)}).",
            )
        # After a restart the status says Ready, and stays as it is, before there is a client.
        admin = client.admin if client else await self.open(KafkaConnection.of(body))
        answer = await self._clients[name].identity.ask()
        if answer != self.cluster_id(name):
            self.unreachable(name)
            raise Waiting(
                Reason.DEPENDENCY_NOT_READY,
                f"KafkaConnection {self._settings.namespace}/{name} is not Ready (another cluster answers: {answer}).",
            )
        return admin

    @contextmanager
    def looked_at(self, name: str) -> Iterator[None]:
        """Let this task's calls through although the status does not say Ready yet: it has just looked."""
        token = _looked_at.set(name)
        try:
            yield
        finally:
            _looked_at.reset(token)

    def access(self, name: str) -> ClientAccess:
        """Return what clients of the cluster need to know; after `admin`, which has read the authority's certificates."""
        connection, client = self.declared(name), self._clients.get(name)
        tls = client.admin.login.tls if client else None
        return ClientAccess(
            connection.client_bootstrap_servers,
            connection.client_protocol,
            tls.ca if tls else None,
            connection.verify_hostname,
        )

    async def versions(self, name: str) -> Versions | None:
        """Return the cluster's versions, asked anew now and then; None when they cannot be had."""
        client = self._clients[name]
        if time.monotonic() - client.versions_asked > _VERSIONS_LAST_SECONDS:
            client.versions_asked = time.monotonic()
            try:
                client.versions = await versions.ask(client.admin)
            except ReconcileError as error:
                logger.info("KafkaConnection %s: its versions are not known: %s", name, error)
        return client.versions

    def cluster_id(self, name: str) -> str | None:
        """Return the id that the cluster last answered with."""
        found: str | None = (self._body(name).get("status") or {}).get("clusterId")
        return found

    def unreachable(self, name: str) -> None:
        """Have a connection looked at because a call through it failed."""
        self._registry.wake(Key(Kind.KAFKA_CONNECTION, self._settings.namespace, name))

    async def open(self, connection: KafkaConnection) -> KafkaAdmin:
        """Return a client with the credentials that the Secret holds now."""
        login = await read_login(self._cluster, self._settings.namespace, connection)
        client = self._clients.get(connection.name)
        if client is None or client.admin.login != login:
            admin = KafkaAdmin(login, self._settings.kafka_timeout_seconds, self._hooks)
            client = self._clients[connection.name] = _Client(admin, Identity(admin))
        return client.admin

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
