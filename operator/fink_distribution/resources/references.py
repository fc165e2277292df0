"""Which resources a resource depends on, and what in Kafka it lays claim to."""

from __future__ import annotations

from fink_distribution.resources import alert_topic, kafka_acl, kafka_user
from fink_distribution.resources.distribution_stream import DistributionStream
from fink_distribution.resources.kafka_connection import connection_name
from fink_distribution.resources.keys import Body, Key, Kind
from fink_distribution.resources.modes import is_enforced

Mark = tuple[str, ...]
"""Something that several resources have in common."""

Claim = tuple[str, str, str]
"""(kind, connection, name in Kafka): what only one resource may own."""


def references(body: Body, operator_namespace: str) -> frozenset[Key]:
    """Return the resources whose change wakes this one."""
    key = Key.of(body)
    if key.kind is Kind.KAFKA_CONNECTION:
        return frozenset()
    if key.kind is Kind.KAFKA_ACL:
        user, used = kafka_acl.user_key(body), kafka_acl.connection_of(body)
        own = {Key(Kind.KAFKA_CONNECTION, operator_namespace, used)} if used else set()
        return frozenset({*own, *kafka_acl.topic_keys(body), *([user] if user else [])})
    connection = Key(Kind.KAFKA_CONNECTION, operator_namespace, connection_name(body))
    if key.kind is Kind.DISTRIBUTION_STREAM:
        stream = DistributionStream.of(body)
        names = [stream.child_name, *([stream.notifier_name] if stream.slack else [])]
        children = {Key(kind, key.namespace, name) for kind in (Kind.KAFKA_USER, Kind.KAFKA_ACL) for name in names}
        source = {stream.source.topic} if stream.source.topic else set()
        return frozenset({connection, *children, *source, *(output.topic for output in stream.outputs)})
    return frozenset({connection})


def claim(body: Body) -> Claim | None:
    """Return what the resource claims in Kafka for itself alone, or None. One that only plans or looks claims nothing."""
    if not is_enforced(body) and not has_ownership(body):
        return None
    kind = Key.of(body).kind
    if kind is Kind.ALERT_TOPIC:
        return kind.value, connection_name(body), alert_topic.topic_name(body)
    if kind is Kind.KAFKA_USER:
        return kind.value, connection_name(body), kafka_user.user_name(body)
    return None


def marks(body: Body) -> frozenset[Mark]:
    """Return what the resource has in common with others that have to be found fast: what it claims is among it."""
    key, status, claimed = Key.of(body), body.get("status") or {}, claim(body)
    found: set[Mark] = {of_namespace(key.kind, key.namespace)}
    if claimed is not None:
        found.add(claimed)
    if key.kind is Kind.ALERT_TOPIC and status.get("topicId"):
        found.add(with_topic_id(status["topicId"]))
    if key.kind is Kind.KAFKA_ACL and status.get("principal"):
        found.add(with_bindings_of(status["principal"], status.get("connection", "")))
    return frozenset(found)


def of_namespace(kind: Kind, namespace: str) -> Mark:
    """Mark the resources of a kind in a namespace."""
    return "namespace", kind.value, namespace


def with_topic_id(topic_id: str) -> Mark:
    """Mark the AlertTopics whose status names this topic."""
    return "topicId", topic_id


def with_bindings_of(principal: str, connection: str) -> Mark:
    """Mark the KafkaAcls whose ledger is of this principal, in the cluster of this connection."""
    return "principal", principal, connection


def has_ownership(body: Body) -> bool:
    """Say whether the status records that the resource owns (or is about to make) what it claims."""
    status = body.get("status") or {}
    return bool(status.get("ownership") or status.get("userName"))


def wants_finalizer(body: Body) -> bool:
    """Say whether something has to be done when the resource is deleted.

    One that owns nothing, or whose topic or credential is to stay, is let go by the API server alone, also while the operator is away.
    """
    kind, status = Key.of(body).kind, body.get("status") or {}
    if kind in (Kind.KAFKA_CONNECTION, Kind.DISTRIBUTION_STREAM):
        return True
    if kind is Kind.KAFKA_ACL:
        return bool(status.get("bindings"))
    if kind is Kind.ALERT_TOPIC:
        return has_ownership(body) and body["spec"].get("deletionPolicy", "Retain") != "Retain"
    return has_ownership(body)


def precedence(body: Body) -> tuple[bool, str, str, str]:
    """Order resources that claim the same: the owner first, then the oldest, then by name."""
    metadata = body["metadata"]
    return (not has_ownership(body), metadata.get("creationTimestamp", ""), metadata["namespace"], metadata["name"])
