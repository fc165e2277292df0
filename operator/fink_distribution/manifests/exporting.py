"""What a Kafka cluster has, as manifests that declare it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fink_distribution.manifests.folding import fold
from fink_distribution.manifests.inventory import Inventory
from fink_distribution.manifests.naming import kubernetes_names
from fink_distribution.plans.quotas import KAFKA_KEYS, ObservedQuotas
from fink_distribution.plans.topics import ObservedTopic
from fink_distribution.plans.users import ObservedUser
from fink_distribution.resources.kafka_user import MECHANISMS, principal
from fink_distribution.resources.keys import API_VERSION, Kind

Manifest = dict[str, Any]

_TYPES = {mechanism: name for name, mechanism in MECHANISMS.items()}
_ITERATIONS = (4096, 16384)
_USER_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._@-]*[A-Za-z0-9])?")
_CONFIG_KEY = re.compile(r"(?!log\.)[a-z][a-z0-9.]*")
_LONGEST_VALUE = 1024
_WHOLE = re.compile(r"[0-9]{1,18}")
_FORMS = {
    "cleanup.policy": re.compile("delete|compact|compact,delete|delete,compact"),
    "retention.ms": re.compile(r"-1|[0-9]{1,18}"),
    "retention.bytes": re.compile(r"-1|[0-9]{1,18}"),
    "segment.bytes": _WHOLE,
    "segment.ms": _WHOLE,
    "max.message.bytes": _WHOLE,
    "delete.retention.ms": _WHOLE,
    "flush.messages": _WHOLE,
    "flush.ms": _WHOLE,
}
"""What crds/alerttopics.yaml asks of values that Kafka itself takes in more forms."""

_THROTTLES = {"leader.replication.throttled.replicas", "follower.replication.throttled.replicas"}


@dataclass(frozen=True)
class Export:
    """Manifests, and what could not become part of them.

    Attributes
    ----------
    left_out
        A line each, for people.
    """

    manifests: tuple[Manifest, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class Target:
    """Where the manifests are to be applied."""

    namespace: str | None = None
    connection: str = "default"

    def manifest(self, kind: Kind, name: str, spec: Mapping[str, Any]) -> Manifest:
        """Return a manifest."""
        namespace = {} if self.namespace is None else {"namespace": self.namespace}
        return {
            "apiVersion": API_VERSION,
            "kind": kind.value,
            "metadata": {"name": name, **namespace},
            "spec": dict(spec),
        }

    @property
    def reference(self) -> dict[str, Any]:
        """The reference to a KafkaConnection that is not the default one."""
        return {} if self.connection == "default" else {"connectionRef": {"name": self.connection}}


def export(inventory: Inventory, target: Target, login: str | None) -> Export:
    """Declare all of an inventory.

    Parameters
    ----------
    login
        Who lists: that is no user to be managed.
    """
    left_out: list[str] = []
    topics = {name: topic for name, topic in inventory.topics.items() if not name.startswith("__")}
    users = {
        name: user for name, user in sorted(inventory.users.items()) if _is_manageable(name, login, user, left_out)
    }
    topic_names, user_names = kubernetes_names(topics), kubernetes_names(users)
    manifests = [
        target.manifest(Kind.ALERT_TOPIC, topic_names[name], _topic_spec(topic, topic_names[name], target, left_out))
        for name, topic in sorted(topics.items())
    ]
    manifests += [
        target.manifest(
            Kind.KAFKA_USER,
            user_names[name],
            {
                **_user_spec(name, user, user_names[name], target, left_out),
                **_quotas(name, inventory.quotas.get(name, {}), left_out),
            },
        )
        for name, user in users.items()
    ]
    manifests += _acls(inventory, topic_names, user_names, target, left_out)
    left_out += [f"{each}: of a type or an operation that no KafkaAcl can declare." for each in inventory.foreign]
    return Export(tuple(manifests), tuple(left_out))


def _topic_spec(topic: ObservedTopic, name: str, target: Target, left_out: list[str]) -> dict[str, Any]:
    config = {}
    for key, found in sorted(topic.config.items()):
        value = found.replace(", ", ",") if key == "cleanup.policy" else found
        if (reason := _why_no_config(key, value, topic)) is None:
            config[key] = value
        else:
            left_out.append(f"topic {topic.name}: {key} {_short(value)} stays as it is but is not declared: {reason}.")
    return {
        **target.reference,
        **({} if name == topic.name else {"topicName": topic.name}),
        "partitions": topic.partitions,
        "replicationFactor": topic.replication_factor,
        **({"config": config} if config else {}),
        "adoptionPolicy": "Adopt",
    }


def _why_no_config(key: str, value: str, topic: ObservedTopic) -> str | None:
    if key in _THROTTLES:
        return "it belongs to a reassignment of replicas that is under way"
    if not _CONFIG_KEY.fullmatch(key) or len(value) > _LONGEST_VALUE:
        return "an AlertTopic takes no such key, or none of this length"
    if key in _FORMS and not _FORMS[key].fullmatch(value):
        return "an AlertTopic takes it in another form only"
    if key == "min.insync.replicas" and int(value) > topic.replication_factor:
        return f"it is more than the {topic.replication_factor} replica(s), so nobody can write with acks=all"
    return None


def _is_manageable(name: str, login: str | None, user: ObservedUser, left_out: list[str]) -> bool:
    if name == login:
        left_out.append(f"user {name}: it is the login of this export, which nobody should change by a manifest.")
    elif not _USER_NAME.fullmatch(name) or len(name) > 128 or name.lower() in ("anonymous", "kafka-cluster"):
        left_out.append(f"user {name}: a KafkaUser cannot have this name.")
    elif not any(mechanism in _TYPES for mechanism in user):
        left_out.append(f"user {name}: it has no SCRAM credential that a KafkaUser knows.")
    else:
        return True
    return False


def _user_spec(name: str, user: ObservedUser, resource: str, target: Target, left_out: list[str]) -> dict[str, Any]:
    """Return a user that is only looked at: its password is known to nobody here, so nothing can be kept as declared."""
    mechanism = next(known for known in MECHANISMS.values() if known in user)
    lowest, highest = _ITERATIONS
    iterations = user[mechanism]
    if not lowest <= iterations <= highest:
        left_out.append(f"user {name}: its {iterations} iterations; a KafkaUser may have {lowest} to {highest}.")
    left_out += [
        f"user {name}: its {other} credential beside the {mechanism} one; a KafkaUser declares one mechanism."
        for other in sorted(user)
        if other != mechanism
    ]
    return {
        **target.reference,
        "mode": "Observe",
        **({} if name == resource else {"userName": name}),
        "authentication": {
            "type": _TYPES[mechanism],
            **({"iterations": iterations} if lowest < iterations <= highest else {}),
        },
    }


def _quotas(name: str, found: ObservedQuotas, left_out: list[str]) -> dict[str, Any]:
    """Return the quotas that a KafkaUser can declare: whole numbers of the known keys."""
    names = {key: field for field, key in KAFKA_KEYS.items()}
    known = {key: value for key, value in sorted(found.items()) if key in names and value >= 1 and value == int(value)}
    left_out += [
        f"user {name}: quota {key}={value:g}: a KafkaUser takes no such key, or whole numbers only."
        for key, value in sorted(found.items())
        if key not in known
    ]
    return {"quotas": {names[key]: int(value) for key, value in known.items()}} if known else {}


def _acls(
    inventory: Inventory,
    topic_names: Mapping[str, str],
    user_names: Mapping[str, str],
    target: Target,
    left_out: list[str],
) -> Iterator[Manifest]:
    def topic_item(name: str) -> dict[str, Any]:
        return {"topicRef": {"name": topic_names[name]}} if name in topic_names else {"name": name}

    resources = {principal(name): resource for name, resource in user_names.items()}
    taken = set(resources.values())
    for who, bindings in sorted(inventory.bindings.items()):
        if who not in resources:
            left_out += [
                f"permission of {who}: {each}: there is no KafkaUser for it above." for each in sorted(bindings)
            ]
            continue
        folded = fold(bindings, topic_item)
        left_out += [f"permission of {who}: {each}: {reason}." for each, reason in folded.undeclarable]
        for index, spec in enumerate(folded.specs):
            name = resources[who] if index == 0 else _free(resources[who], taken)
            yield target.manifest(
                Kind.KAFKA_ACL, name, {"userRef": {"name": resources[who]}, **spec, "adoptionPolicy": "Adopt"}
            )


def _free(base: str, taken: set[str]) -> str:
    number = 2
    while (name := f"{base[:240]}-{number}") in taken:
        number += 1
    taken.add(name)
    return name


def _short(value: str) -> str:
    return value if len(value) <= 40 else f"{value[:40]}..."
