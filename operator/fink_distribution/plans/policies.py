"""What a policy forbids a resource. Each function returns messages for people, none when all is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass

from fink_distribution.resources import alert_topic, kafka_user
from fink_distribution.resources.distribution_stream import DistributionStream
from fink_distribution.resources.kafka_acl import DENY, Item
from fink_distribution.resources.keys import Body, Key, Kind
from fink_distribution.resources.policies import Policy

_NOUNS = {"Topic": "topic", "User": "user", "Group": "group", "TransactionalId": "transactional id"}
_QUOTAS = ("producerByteRate", "consumerByteRate")


@dataclass(frozen=True)
class Usage:
    """What resources of one namespace use of one connection."""

    topics: int = 0
    partitions: int = 0
    users: int = 0
    streams: int = 0
    executors: int = 0


def own_names(streams: Iterable[Body]) -> frozenset[str]:
    """Return what names in Kafka start with that streams give themselves: their users, and what is named after these or their uid.

    They hold the namespace, or what no other stream has, so they need no prefix of a policy.
    """
    return frozenset(
        name for body in streams for name in (*DistributionStream.of(body).own_names, body["metadata"]["uid"])
    )


def usage(bodies: Iterable[Body], own: Set[str]) -> Usage:
    """Add up resources. The users of streams are not counted: limits.streams is for them."""
    found = list(bodies)
    topics = [body for body in found if body["kind"] == Kind.ALERT_TOPIC]
    users = [body for body in found if body["kind"] == Kind.KAFKA_USER and kafka_user.user_name(body) not in own]
    streams = [DistributionStream.of(body) for body in found if body["kind"] == Kind.DISTRIBUTION_STREAM]
    return Usage(
        topics=len(topics),
        partitions=sum(_partitions(body) for body in topics),
        users=len(users),
        streams=len(streams),
        executors=sum(stream.executors.instances for stream in streams),
    )


def _partitions(body: Body) -> int:
    return max(body["spec"].get("partitions") or 0, (body.get("status") or {}).get("partitions") or 0)


def violations(policy: Policy, body: Body, others: Usage, own: Set[str]) -> tuple[str, ...]:
    """Return what a policy forbids an AlertTopic, a KafkaUser or a DistributionStream.

    Parameters
    ----------
    others
        What those use that come before this one.
    own
        The names that the namespace's streams give themselves.
    """
    match Key.of(body).kind:
        case Kind.ALERT_TOPIC:
            return tuple(_of_topic(policy, body, others))
        case Kind.KAFKA_USER:
            return tuple(_of_user(policy, body, others)) if kafka_user.user_name(body) not in own else ()
        case Kind.DISTRIBUTION_STREAM:
            return tuple(_of_stream(policy, body, others))
    return ()


def _of_topic(policy: Policy, body: Body, others: Usage) -> Iterator[str]:
    spec, partitions = body["spec"], _partitions(body)
    yield from _name(policy, "topicName", "Topic", alert_topic.topic_name(body))
    yield from _count(policy, "topics", "AlertTopics", others.topics + 1)
    for limit, number in (("partitionsPerTopic", partitions), ("totalPartitions", others.partitions + partitions)):
        if limit not in policy.limits:
            continue
        if "partitions" not in spec:
            yield f"partitions: has to be given, because {policy} limits {limit} to {policy.limits[limit]}"
        else:
            yield from _count(policy, limit, "partitions", number)
    if (most := policy.limits.get("retentionMs")) is not None:
        yield from _retention(policy, spec.get("config") or {}, most)


def _retention(policy: Policy, config: dict[str, str], most: int) -> Iterator[str]:
    retention = config.get("retention.ms", "")
    if not retention.isdigit() or int(retention) > most:
        has = (
            f"{retention} is more than {policy} allows" if retention else f"has to be given, because {policy} limits it"
        )
        yield f"config: retention.ms {has}; set {most} or less"
    if config.get("cleanup.policy") == "compact":
        yield f"config: cleanup.policy compact keeps messages for ever, and {policy} limits retention; add delete to it"


def _of_user(policy: Policy, body: Body, others: Usage) -> Iterator[str]:
    yield from _name(policy, "userName", "User", kafka_user.user_name(body))
    yield from _count(policy, "users", "KafkaUsers", others.users + 1)
    quotas = body["spec"].get("quotas") or {}
    for quota in _QUOTAS:
        most = policy.limits.get(quota)
        if most is not None and (quota not in quotas or quotas[quota] > most):
            has = f"{quotas[quota]} is more than" if quota in quotas else "has to be given, because of"
            yield f"quotas.{quota}: {has} what {policy} allows; set {most} or less"


def _of_stream(policy: Policy, body: Body, others: Usage) -> Iterator[str]:
    yield from _count(policy, "streams", "DistributionStreams", others.streams + 1)
    executors = others.executors + DistributionStream.of(body).executors.instances
    yield from _count(policy, "executors", "executors", executors)


def of_principal(policy: Policy, body: Body) -> tuple[str, ...]:
    """Return what a policy forbids a KafkaAcl as a whole: to name a principal."""
    if "principal" not in body["spec"] or "rawPrincipals" in policy.allow:
        return ()
    return (f"principal: {policy} does not allow raw principals; name a KafkaUser (userRef)",)


def of_item(policy: Policy, item: Item, own: Set[str]) -> tuple[str, ...]:
    """Return what a policy forbids one entry of a KafkaAcl. An AlertTopic that it names was judged, or has consented, itself."""
    found: list[str] = []
    if item.permission == DENY and "denyRules" not in policy.allow:
        found.append(f"{item.path}: {policy} does not allow permission Deny")
    if item.resource_type in ("Cluster", "DelegationToken", "User"):
        if "clusterOperations" not in policy.allow:
            found.append(f"{item.path}: {policy} does not allow rules about the Cluster, delegation tokens and users")
    elif item.topic is None and not _is_own(item, own):
        found += _name(policy, item.path, item.resource_type, item.name)
    return tuple(found)


def _is_own(item: Item, own: Set[str]) -> bool:
    return item.resource_type in ("Group", "TransactionalId") and item.name.startswith(tuple(own))


def _name(policy: Policy, where: str, what: str, name: str) -> Iterator[str]:
    if not policy.permits(what, name):
        allowed = ", ".join(policy.prefixes.get(what, ())) or "nothing"
        instead = " or name an AlertTopic (topicRef)" if what == "Topic" and where != "topicName" else ""
        yield (
            f"{where}: {_NOUNS[what]} {name} does not start with what {policy} allows namespace {policy.namespace}: {allowed}; choose "
            f"such a name{instead}"
        )


def _count(policy: Policy, limit: str, what: str, number: int) -> Iterator[str]:
    most = policy.limits.get(limit)
    if most is not None and number > most:
        yield f"limits.{limit}: with this one it would be {number} {what}, and {policy} allows namespace {policy.namespace} {most}"
