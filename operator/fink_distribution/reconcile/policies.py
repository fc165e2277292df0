"""The policies of a KafkaConnection: asked before anything is done for a resource, and nowhere else.

What a resource owns already it keeps, and its deletion works as ever; only permissions are taken back. They are the reason why there
are policies, and unlike a topic nothing is lost with them that could not be given again.
"""

from __future__ import annotations

from collections.abc import Iterable

from fink_distribution.errors import Reason, Stalled
from fink_distribution.plans import policies
from fink_distribution.reconcile.registry import Registry
from fink_distribution.resources.conditions import condition
from fink_distribution.resources.kafka_acl import Item
from fink_distribution.resources.kafka_connection import connection_name
from fink_distribution.resources.keys import Body, Key, Kind, is_deleted
from fink_distribution.resources.modes import is_enforced
from fink_distribution.resources.policies import Policy, has_policies, policy_for
from fink_distribution.resources.references import has_ownership, of_namespace, precedence

_LIMITED = (Kind.ALERT_TOPIC, Kind.KAFKA_USER, Kind.DISTRIBUTION_STREAM)


def refuse_violation(registry: Registry, body: Body) -> None:
    """Refuse an AlertTopic, a KafkaUser or a DistributionStream that its namespace may not have.

    A KafkaAcl is judged entry by entry (`judge`), because what is allowed of it is kept.

    Raises
    ------
    Stalled
        With reason PolicyViolation; it is looked at again when the policies change.
    """
    kind, namespace = Key.of(body).kind, body["metadata"]["namespace"]
    if kind not in _LIMITED:
        return
    policy = _policy(registry, connection_name(body), namespace)
    if policy is not None:
        own = _own_names(registry, namespace)
        found = policies.violations(policy, body, policies.usage(_before(registry, body), own), own)
        if found:
            raise violation(found)


def judge(registry: Registry, body: Body, items: Iterable[Item], connection: str) -> dict[Item, tuple[str, ...]]:
    """Return what the policies say against each entry of a KafkaAcl: nothing when it is allowed."""
    namespace = body["metadata"]["namespace"]
    try:
        policy = _policy(registry, connection, namespace)
    except Stalled as error:
        return dict.fromkeys(items, (error.message,))
    if policy is None:
        return dict.fromkeys(items, ())
    whole, own = policies.of_principal(policy, body), _own_names(registry, namespace)
    return {item: whole or policies.of_item(policy, item, own) for item in items}


def violation(messages: Iterable[str]) -> Stalled:
    """Return the error that says what is not allowed."""
    return Stalled(Reason.POLICY_VIOLATION, "; ".join(dict.fromkeys(messages)).rstrip(".") + ".")


def wake_waiting(registry: Registry, gone: Body) -> None:
    """Have those looked at that a limit stopped, now that a resource of their namespace is gone."""
    if not any(has_policies(body) for body in registry.of_kind(Kind.KAFKA_CONNECTION)):
        return
    for body in registry:
        stalled = condition(body, "Stalled")
        same = body["metadata"]["namespace"] == gone["metadata"]["namespace"]
        if same and stalled is not None and stalled["reason"] == Reason.POLICY_VIOLATION:
            registry.wake(Key.of(body))


def _policy(registry: Registry, connection: str, namespace: str) -> Policy | None:
    """Return the policy of a namespace, None when everything is allowed."""
    body = registry.get(Key(Kind.KAFKA_CONNECTION, registry.operator_namespace, connection))
    if body is None or not has_policies(body):
        return None
    policy = policy_for(body, namespace)
    if policy is None:
        raise Stalled(
            Reason.POLICY_VIOLATION,
            f"no policy of KafkaConnection {connection} is for namespace {namespace}, so nothing may be done there. Who administers the "
            "connection can add the namespace to spec.policies.",
        )
    return policy


def _own_names(registry: Registry, namespace: str) -> frozenset[str]:
    return policies.own_names(registry.marked(of_namespace(Kind.DISTRIBUTION_STREAM, namespace)))


def _before(registry: Registry, body: Body) -> Iterable[Body]:
    """Return what counts beside a resource: those of its kind, namespace and connection that own something, or came first and may."""
    key = Key.of(body)
    for other in registry.marked(of_namespace(key.kind, key.namespace)):
        metadata = other["metadata"]
        same = connection_name(other) == connection_name(body)
        if not same or metadata["uid"] == body["metadata"]["uid"] or is_deleted(other):
            continue
        stalled = condition(other, "Stalled")
        refused = stalled is not None and stalled["reason"] == Reason.POLICY_VIOLATION
        counts = has_ownership(other) or (is_enforced(other) and not refused)
        if counts and precedence(other) < precedence(body):
            yield other
