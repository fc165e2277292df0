"""What could not be removed from Kafka in time is remembered in the status of its KafkaConnection, and removed when Kafka is back.

It is removed by the same code that releases a resource, before the connection says Ready: so whatever waits for the connection
finds a Kafka without it.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from fink_distribution.errors import OF_CONNECTION, Reason, ReconcileError, Waiting
from fink_distribution.kafka import topics
from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.plans.orphans import Keep, reason_to_keep
from fink_distribution.reconcile.alert_topics import AlertTopics
from fink_distribution.reconcile.context import Context, Facts, Outdated, facts_of
from fink_distribution.reconcile.kafka_acls import KafkaAcls
from fink_distribution.reconcile.kafka_users import KafkaUsers
from fink_distribution.reconcile.rivals import claimant
from fink_distribution.resources.alert_topic import AlertTopic
from fink_distribution.resources.kafka_connection import connection_in_use
from fink_distribution.resources.keys import Body, Key, Kind
from fink_distribution.resources.orphans import Orphan, fits, in_cluster, orphans_of

logger = logging.getLogger(__name__)

_ATTEMPTS = 5
_RELEASE: dict[Kind, Callable[[Context, Body], Awaitable[None]]] = {
    # One that was declared anew meanwhile waits for the old topic to go; so its claim does not keep that.
    Kind.ALERT_TOPIC: AlertTopics().remove,
    Kind.KAFKA_USER: KafkaUsers().release,
    Kind.KAFKA_ACL: KafkaAcls().release,
}


async def record(context: Context, body: Body) -> str:
    """Remember what a resource leaves behind that is about to go; return what becomes of it, for people.

    Raises
    ------
    Waiting
        It could not be written down; the resource must not go yet.
    """
    if listed := orphans_of(body):
        names = ", ".join(str(orphan) for orphan in listed[:5])
        return f"what it remembered of deleted resources may be left behind in Kafka: {len(listed)} orphan(s): {names}."
    orphan = Orphan.of(body, context.now())
    if orphan is None:
        return "nothing in Kafka was to go with it."
    name = connection_in_use(body)
    key = Key(Kind.KAFKA_CONNECTION, context.settings.namespace, name) if name else None
    if key is None or context.registry.get(key) is None:
        return f"{orphan} may be left behind in Kafka; no KafkaConnection {name} is there to remember it. Remove it by hand."
    for _ in range(_ATTEMPTS):
        connection = context.registry.get(key)
        if connection is None:
            break
        try:
            # The connection's own turn may write its status at the same time; the later of the two is refused and begins again.
            said = await _remember(context, connection, orphan)
        except Outdated:
            continue
        context.registry.wake(key)
        return said
    raise Waiting(Reason.TERMINATING, f"what is left of it cannot be written down at {key} yet.", 1.0)


async def _remember(context: Context, connection: Body, orphan: Orphan) -> str:
    known, facts = orphans_of(connection), facts_of(connection)
    orphan = in_cluster(orphan, facts.get("clusterId"))
    where = f"{orphan} may be left behind in Kafka"
    if orphan.uid not in {each.uid for each in known}:
        if not fits(known, orphan):
            count = facts.get("unlistedOrphans", 0) + 1
            await context.amend(connection, {"unlistedOrphans": count})
            return f"{where}; the list of orphans of {Key.of(connection)} is full. Remove it by hand."
        await context.amend(connection, _facts((*known, orphan)))
    return f"{where}; status.orphans of {Key.of(connection)} remembers it, and it is removed when Kafka answers."


async def clean_up(context: Context, connection: Body, admin: KafkaAdmin, cluster_id: str) -> Facts:
    """Remove from Kafka what the connection remembers; return the facts of its status about what is left to do."""
    facts = {name: value for name, value in facts_of(connection).items() if name == "unlistedOrphans"}
    known = orphans_of(connection)
    left: list[Orphan] = []
    with context.connections.looked_at(connection["metadata"]["name"]):
        for index, orphan in enumerate(known):
            try:
                await _clean(context, connection, admin, cluster_id, orphan)
            except ReconcileError as error:
                logger.warning(
                    "%s: %s of %s is still left behind: %s", connection["metadata"]["name"], orphan, orphan.key, error
                )
                left.append(orphan)
                if error.reason in OF_CONNECTION:
                    left += known[index + 1 :]
                    break
    return {**facts, **_facts(left)}


async def _clean(context: Context, connection: Body, admin: KafkaAdmin, cluster_id: str, orphan: Orphan) -> None:
    is_topic = orphan.key.kind is Kind.ALERT_TOPIC
    topic = await topics.observe_one(admin, orphan.kafka_name) if is_topic else None
    name = connection["metadata"]["name"]
    keep = reason_to_keep(orphan, name, cluster_id, context.registry, topic)
    origin = f"which {orphan.key} left behind at {orphan.since}"
    if keep is not None:
        kind = "Normal" if keep is Keep.GONE else "Warning"
        text = f"{orphan}, {origin}, is forgotten and left as it is: {keep}."
        await context.event(connection, kind, Reason.CLEANED_UP if keep is Keep.GONE else Reason.LEFT_BEHIND, text)
        return
    body = orphan.body(name)
    context.changing(body, f"remove {orphan}, {origin}")
    release = AlertTopics().release if _is_wanted(context, body) else _RELEASE[orphan.key.kind]
    await release(context, body)
    await context.event(connection, "Normal", Reason.CLEANED_UP, f"removed {orphan}, {origin}.")


def _is_wanted(context: Context, body: Body) -> bool:
    """Say whether a resource waits to take a topic over as it is."""
    other = claimant(context.registry, body) if Key.of(body).kind is Kind.ALERT_TOPIC else None
    return other is not None and AlertTopic.of(other).adoption_policy == "Adopt"


def _facts(orphans: tuple[Orphan, ...] | list[Orphan]) -> Facts:
    return {"orphans": [orphan.to_status() for orphan in orphans]} if orphans else {}
