"""Bindings back into the spec of a KafkaAcl: the shorthand where it says the same, raw rules for the rest. Pure.

`fink_distribution.resources.kafka_acl.bindings` is the way there; it gives exactly the bindings that were folded.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, NamedTuple, TypeVar

from fink_distribution.manifests.naming import hashed, slug
from fink_distribution.resources.kafka_acl import (
    ALLOW,
    CLUSTER_NAME,
    CONSUMER_GROUP,
    CONSUMER_TOPIC,
    PRODUCER_TOPIC,
    PRODUCER_TRANSACTIONAL_ID,
    Binding,
)

T = TypeVar("T")
Spec = dict[str, Any]


class Resource(NamedTuple):
    """What one rule is about: All stands alone in a rule, and so does what is forbidden."""

    kind: str
    name: str
    pattern: str
    permission: str = ALLOW
    is_whole: bool = False


LIMIT = 50
"""How many topics and rules one KafkaAcl may hold (crds/kafkaacls.yaml)."""

_OPERATIONS = {
    "Topic": {"All", "Read", "Write", "Create", "Delete", "Alter", "Describe", "DescribeConfigs", "AlterConfigs"},
    "Group": {"All", "Read", "Delete", "Describe", "DescribeConfigs", "AlterConfigs"},
    "TransactionalId": {"All", "Write", "Describe", "TwoPhaseCommit"},
    "Cluster": {
        "All",
        "Create",
        "Alter",
        "Describe",
        "DescribeConfigs",
        "AlterConfigs",
        "ClusterAction",
        "IdempotentWrite",
    },
    "DelegationToken": {"All", "Describe"},
    "User": {"All", "CreateTokens", "DescribeTokens"},
}
_HOST = re.compile(
    r"[*]|(25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])([.](25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])){3}|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+"
)
_TOPIC = re.compile(r"[A-Za-z0-9._-]+|[*]")
_RULE_NAME = 63
_NAME = 249


@dataclass(frozen=True)
class Folded:
    """The permissions of one principal as KafkaAcls.

    Attributes
    ----------
    specs
        Without userRef; more than one where hosts differ or there is too much for one.
    undeclarable
        What no KafkaAcl can say, with the reason.
    """

    specs: tuple[Spec, ...]
    undeclarable: tuple[tuple[Binding, str], ...]


def fold(bindings: Set[Binding], topic_item: Callable[[str], Mapping[str, Any]]) -> Folded:
    """Fold the bindings of one principal.

    Parameters
    ----------
    topic_item
        Gives how a topic is named, from its name in Kafka: `{"topicRef": {"name": ...}}` or `{"name": ...}`.
    """
    reasons = [(binding, why_not(binding)) for binding in sorted(bindings)]
    declarable = [binding for binding, reason in reasons if reason is None]
    # From anywhere comes first: that is how nearly all permissions are given.
    hosts = sorted({binding.host for binding in declarable}, key=lambda host: (host != "*", host))
    specs = [spec for host in hosts for spec in _of_host(host, declarable, topic_item)]
    return Folded(tuple(specs), tuple((binding, reason) for binding, reason in reasons if reason is not None))


def why_not(binding: Binding) -> str | None:
    """Say why no KafkaAcl can declare a binding, or None when one can: the rules of crds/kafkaacls.yaml in CEL."""
    name, is_prefix = binding.resource_name, binding.pattern_type != "Literal"
    if binding.resource_type not in _OPERATIONS or binding.operation not in _OPERATIONS[binding.resource_type]:
        return f"a KafkaAcl knows no {binding.operation} on a {binding.resource_type}"
    if not _HOST.fullmatch(binding.host):
        return "its host is no IP address, so it matches nobody"
    if binding.resource_type == "Cluster":
        return "the Cluster has another name than kafka-cluster" if name != CLUSTER_NAME or is_prefix else None
    if len(name) > _NAME:
        return f"its name is longer than {_NAME} characters"
    if name == "*" and is_prefix:
        return 'the prefix "*" matches only names that begin with "*"'
    if binding.resource_type == "Topic" and not _TOPIC.fullmatch(name):
        return "no topic can have this name"
    return None


def _of_host(host: str, bindings: Iterable[Binding], topic_item: Callable[[str], Mapping[str, Any]]) -> list[Spec]:
    left: defaultdict[Resource, set[str]] = defaultdict(set)
    for each in bindings:
        if each.host == host:
            what = (each.resource_type, each.resource_name, each.pattern_type, each.permission)
            left[Resource(*what, is_whole=each.operation == "All")].add(each.operation)

    def item(resource: Resource) -> dict[str, Any]:
        if resource.kind == "Topic" and resource.pattern == "Literal" and resource.name != "*":
            return dict(topic_item(resource.name))
        return {"name": resource.name, **({} if resource.pattern == "Literal" else {"patternType": resource.pattern})}

    consumed, produced, groups, ids = _shorthand(
        {resource: value for resource, value in left.items() if resource.permission == ALLOW and not resource.is_whole}
    )
    consumers = [
        {"topics": [item(each) for each in chunk], "group": item(groups[0])} for chunk in _chunks(consumed, LIMIT)
    ]
    producers: list[dict[str, Any]] = [{"topics": [item(each) for each in chunk]} for chunk in _chunks(produced, LIMIT)]
    if ids:
        producers[0]["transactionalId"] = item(ids[0])
    _cover(left, consumed, CONSUMER_TOPIC)
    _cover(left, groups[:1], CONSUMER_GROUP)
    _cover(left, produced, PRODUCER_TOPIC)
    _cover(left, ids[:1], PRODUCER_TRANSACTIONAL_ID)
    rules = _chunks(_rules(host, {key: value for key, value in left.items() if value}, item), LIMIT)
    return [_spec(host, *parts) for parts in zip_longest(consumers, producers, rules)]


def _spec(host: str, consumer: Any, producer: Any, rules: Any) -> Spec:
    has_shorthand = consumer or producer
    found = {"host": host if host != "*" and has_shorthand else None, "consumer": consumer, "producer": producer}
    return {key: value for key, value in {**found, "rules": rules}.items() if value}


def _shorthand(
    operations: Mapping[Resource, Set[str]],
) -> tuple[list[Resource], list[Resource], list[Resource], list[Resource]]:
    """Find what consumer and producer say exactly: topics consumed, topics produced, groups, transactional ids.

    Consumers without a group and transactional ids without a topic cannot be said by the shorthand.
    """
    consumer, producer = set(CONSUMER_TOPIC), set(PRODUCER_TOPIC)
    topics = {key: value for key, value in operations.items() if key.kind == "Topic"}
    consumed = sorted(key for key, value in topics.items() if value in (consumer, consumer | producer))
    produced = sorted(key for key, value in topics.items() if value in (producer, consumer | producer))
    groups = sorted(key for key, value in operations.items() if key.kind == "Group" and value == set(CONSUMER_GROUP))
    ids = sorted(
        key
        for key, value in operations.items()
        if key.kind == "TransactionalId" and value == set(PRODUCER_TRANSACTIONAL_ID)
    )
    has_consumer = bool(consumed and groups)
    return consumed if has_consumer else [], produced, groups if has_consumer else [], ids if produced else []


def _cover(left: Mapping[Resource, set[str]], resources: Iterable[Resource], operations: Iterable[str]) -> None:
    for each in resources:
        left[each].difference_update(operations)


def _rules(
    host: str, left: Mapping[Resource, Set[str]], item: Callable[[Resource], Mapping[str, Any]]
) -> list[dict[str, Any]]:
    names = _rule_names(left)
    return [
        {
            "name": names[resource],
            "resource": {"type": resource.kind, **({} if resource.kind == "Cluster" else item(resource))},
            "operations": sorted(operations),
            **({} if host == "*" else {"host": host}),
            **({} if resource.permission == ALLOW else {"permission": resource.permission}),
        }
        for resource, operations in sorted(left.items())
    ]


def _rule_names(resources: Iterable[Resource]) -> dict[Resource, str]:
    """Name each rule after its resource, and tell those that would be alike by their hash."""
    by_name: defaultdict[str, list[Resource]] = defaultdict(list)
    for resource in resources:
        by_name[slug(_spoken(resource), _RULE_NAME, dots=False)].append(resource)
    return {
        resource: name if len(alike) == 1 else hashed("\0".join(map(str, resource)), _RULE_NAME, dots=False)
        for name, alike in by_name.items()
        for resource in alike
    }


def _spoken(resource: Resource) -> str:
    deny = "" if resource.permission == ALLOW else "deny "
    whole = " everything" if resource.is_whole else ""
    if resource.kind == "Cluster":
        return f"{deny}cluster{whole}"
    name = "all" if resource.name == "*" else resource.name
    return f"{deny}{resource.kind} {name}{'' if resource.pattern == 'Literal' else ' prefix'}{whole}"


def _chunks(items: Sequence[T], size: int) -> list[list[T]]:
    return [list(items[start : start + size]) for start in range(0, len(items), size)]
