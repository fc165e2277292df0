"""The drift pass: one full listing of a Kafka cluster, held against all that is declared for it.

It only finds what differs and wakes the resource, which then mends it by its own plan: so a pass over resources that nobody has
touched costs the listing and no write at all.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fink_distribution.errors import ReconcileError, Stalled
from fink_distribution.kafka import acls, quotas, topics, users
from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.plans.quotas import ObservedQuotas, plan_quotas
from fink_distribution.plans.topics import ObservedTopic, plan_topic
from fink_distribution.plans.users import ObservedUser, plan_user
from fink_distribution.reconcile.context import Context, facts_of
from fink_distribution.resources.alert_topic import AlertTopic
from fink_distribution.resources.conditions import condition
from fink_distribution.resources.kafka_acl import Binding, ledger
from fink_distribution.resources.kafka_connection import connection_in_use
from fink_distribution.resources.kafka_user import KafkaUser
from fink_distribution.resources.keys import Body, Key, Kind, is_deleted
from fink_distribution.resources.modes import is_enforced

logger = logging.getLogger(__name__)

_USERS_A_PASS = 50
_PASSES_FOR_ALL_USERS = 10


@dataclass(frozen=True)
class Listing:
    """What one Kafka cluster has."""

    topics: Mapping[str, ObservedTopic]
    users: Mapping[str, ObservedUser]
    bindings: Mapping[str, frozenset[Binding]]
    quotas: Mapping[str, ObservedQuotas]


async def look(admin: KafkaAdmin, topic_names: set[str], user_names: set[str], *, with_quotas: bool) -> Listing:
    """List a cluster: the named topics and users, all ACLs, and, if any user has them, all quotas."""
    existing = await admin.topic_names()
    return Listing(
        topics=await topics.observe(admin, existing & topic_names),
        users=await users.observe(admin, user_names),
        bindings=await acls.observe(admin),
        quotas=await quotas.observe(admin) if with_quotas else {},
    )


def drifted(bodies: list[Body], listing: Listing) -> Iterator[Key]:
    """Find the resources that Kafka no longer agrees with. Pure."""
    for body in bodies:
        key = Key.of(body)
        if is_deleted(body):
            continue
        if (
            (key.kind is Kind.ALERT_TOPIC and _topic_differs(AlertTopic.of(body), listing))
            or (key.kind is Kind.KAFKA_USER and _user_differs(KafkaUser.of(body), listing))
            or (key.kind is Kind.KAFKA_ACL and _bindings_differ(body, listing))
        ):
            yield key


def _topic_differs(declared: AlertTopic, listing: Listing) -> bool:
    if declared.ownership is None:
        return False
    try:
        return bool(plan_topic(declared, listing.topics.get(declared.name)))
    except Stalled:
        return True


def _user_differs(declared: KafkaUser, listing: Listing) -> bool:
    observed, limits = listing.users.get(declared.name, {}), listing.quotas.get(declared.name, {})
    return declared.is_ours and bool(
        plan_user(declared, observed, password_is_applied=True)
        or plan_quotas(declared.name, declared.quotas, declared.owned_quotas, limits)
    )


def _bindings_differ(body: Body, listing: Listing) -> bool:
    principal = facts_of(body).get("principal")
    return principal is not None and not ledger(body) <= listing.bindings.get(principal, frozenset())


class DriftPass:
    """Looks at every Kafka cluster in turn."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._last_user: Key | None = None

    async def run(self) -> None:
        """Hold one listing of each connection against what is declared, and wake what differs, what is stalled, what only plans or
        looks, and in turn the users, whose Secrets may be read but not watched."""
        registry = self._context.registry
        for connection in registry.of_kind(Kind.KAFKA_CONNECTION):
            name = connection["metadata"]["name"]
            if connection["metadata"]["namespace"] != self._context.settings.namespace:
                continue
            try:
                await self._connection(name)
            except ReconcileError as error:
                logger.info("drift pass: KafkaConnection %s: %s", name, error)
        for body in registry:
            if condition(body, "Stalled") is not None or not is_enforced(body):
                registry.wake(Key.of(body))
        for key in self._users_in_turn():
            registry.wake(key)

    def _users_in_turn(self) -> list[Key]:
        """Return the users whose Secrets are read in this pass: all of a few, and of many a part, so that a pass stays cheap."""
        users = sorted(Key.of(body) for body in self._context.registry.of_kind(Kind.KAFKA_USER))
        share = max(_USERS_A_PASS, -(-len(users) // _PASSES_FOR_ALL_USERS))
        later = [key for key in users if self._last_user is None or key > self._last_user]
        turn = later[:share]
        self._last_user = turn[-1] if len(turn) < len(later) else None
        return turn

    async def _connection(self, name: str) -> None:
        registry = self._context.registry
        bodies = [body for body in registry if self._connection_of(body) == name]
        declared = [KafkaUser.of(body) for body in bodies if body["kind"] == Kind.KAFKA_USER]
        listing = await look(
            await self._context.connections.admin(name),
            {AlertTopic.of(body).name for body in bodies if body["kind"] == Kind.ALERT_TOPIC},
            {user.name for user in declared},
            with_quotas=any(user.quotas or user.owned_quotas for user in declared),
        )
        for key in drifted(bodies, listing):
            logger.info("%s: Kafka differs from what is declared", key)
            self._context.metrics.drifted(key)
            registry.wake(key)

    def _connection_of(self, body: Body) -> str | None:
        return None if Key.of(body).kind is Kind.KAFKA_CONNECTION else connection_in_use(body)
