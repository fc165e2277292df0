"""KafkaAcl: what a user may do, as Kafka's bindings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from fink_distribution.resources.keys import Body, Key, Kind

CLUSTER_NAME = "kafka-cluster"
"""The only name of the Cluster resource (KIP-11)."""

ALLOW, DENY = "Allow", "Deny"

LEDGER_LIMIT = 2000
"""How many bindings status.bindings holds; a spec declares at most about 750."""


@dataclass(frozen=True, order=True)
class Binding:
    """One binding of Kafka's authorizer, without its principal."""

    resource_type: str
    resource_name: str
    pattern_type: str
    operation: str
    host: str
    permission: str = ALLOW

    def __str__(self) -> str:
        pattern = "" if self.pattern_type == "Literal" else "prefix "
        return f"{self.operation} on {self.resource_type} {pattern}{self.resource_name} from {self.host}"

    def to_status(self) -> dict[str, str]:
        """Return the binding as it stands in status.bindings; Allow is left out."""
        found = {_camel(key): value for key, value in asdict(self).items()}
        return found if self.permission != ALLOW else {k: v for k, v in found.items() if k != "permission"}

    @classmethod
    def from_status(cls, item: Mapping[str, str]) -> Binding:
        """Read a binding of status.bindings."""
        where = (item["resourceType"], item["resourceName"], item["patternType"])
        return cls(*where, item["operation"], item["host"], item.get("permission", ALLOW))


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


CONSUMER_TOPIC = ("Read", "Describe")
CONSUMER_GROUP = ("Read",)
PRODUCER_TOPIC = ("Write", "Describe", "Create")
PRODUCER_TRANSACTIONAL_ID = ("Write", "Describe")
"""What kafka-acls.sh makes of --consumer and --producer (AclCommand.scala: getConsumerResourceFilterToAcls and
getProducerResourceFilterToAcls). Its --idempotent adds IdempotentWrite on the Cluster, which brokers no longer ask for since
Kafka 2.8 (KIP-679); a rule can give it."""


@dataclass(frozen=True)
class Item:
    """One entry of a spec: operations on one resource of Kafka's.

    Attributes
    ----------
    path
        Where it stands in the spec, for messages.
    topic
        The AlertTopic that it names, else None and `name` is the name in Kafka.
    """

    path: str
    resource_type: str
    topic: Key | None
    name: str
    pattern_type: str
    operations: tuple[str, ...]
    host: str
    permission: str = ALLOW

    def bindings(self, topic_name: str | None = None) -> frozenset[Binding]:
        """Return the bindings that the entry declares, about a topic of this name when it names an AlertTopic."""
        name = self.name if topic_name is None else topic_name
        where = (self.resource_type, name, self.pattern_type)
        return frozenset(Binding(*where, operation, self.host, self.permission) for operation in self.operations)


def items(body: Body) -> tuple[Item, ...]:
    """Return all entries of a spec, consumer and producer as Kafka's own tool expands them."""
    return tuple(_items(body["spec"], body["metadata"]["namespace"]))


def _items(spec: Mapping[str, Any], namespace: str) -> Iterator[Item]:
    host = spec.get("host", "*")

    def topics(path: str, named: Iterable[Mapping[str, Any]], operations: tuple[str, ...]) -> Iterator[Item]:
        for index, named_topic in enumerate(named):
            yield _item(f"{path}.topics[{index}]", "Topic", named_topic, namespace, operations, host)

    if consumer := spec.get("consumer"):
        yield from topics("consumer", consumer["topics"], CONSUMER_TOPIC)
        yield _item("consumer.group", "Group", consumer["group"], namespace, CONSUMER_GROUP, host)
    if producer := spec.get("producer"):
        yield from topics("producer", producer["topics"], PRODUCER_TOPIC)
        if transactional_id := producer.get("transactionalId"):
            path = "producer.transactionalId"
            yield _item(path, "TransactionalId", transactional_id, namespace, PRODUCER_TRANSACTIONAL_ID, host)
    for rule in spec.get("rules") or []:
        resource, operations = rule["resource"], tuple(rule["operations"])
        path, permission = f"rules[{rule['name']}]", rule.get("permission", ALLOW)
        yield _item(path, resource["type"], resource, namespace, operations, rule.get("host", "*"), permission)


def _item(
    path: str,
    kind: str,
    named: Mapping[str, Any],
    namespace: str,
    operations: tuple[str, ...],
    host: str,
    permission: str = ALLOW,
) -> Item:
    ref = named.get("topicRef")
    topic = Key(Kind.ALERT_TOPIC, ref.get("namespace", namespace), ref["name"]) if ref else None
    name, pattern = named.get("name", CLUSTER_NAME), named.get("patternType", "Literal")
    return Item(path, kind, topic, name, pattern, operations, host, permission)


def ledger(body: Body) -> frozenset[Binding]:
    """Return the bindings that the resource made, or was about to make."""
    return frozenset(Binding.from_status(item) for item in (body.get("status") or {}).get("bindings") or ())


def adopts(body: Body) -> bool:
    """Say whether declared permissions that were given by hand become the resource's own."""
    return bool(body["spec"].get("adoptionPolicy") == "Adopt")


def user_key(body: Body) -> Key | None:
    """Return the KafkaUser that the permissions are for, or None when the spec names a principal."""
    ref = body["spec"].get("userRef")
    return Key(Kind.KAFKA_USER, body["metadata"]["namespace"], ref["name"]) if ref else None


def connection_of(body: Body) -> str | None:
    """Return the KafkaConnection as far as the resource itself tells: with userRef it is the user's, known once it was looked at."""
    if ref := body["spec"].get("connectionRef"):
        name: str = ref["name"]
        return name
    return (body.get("status") or {}).get("connection")


def topic_keys(body: Body) -> frozenset[Key]:
    """Return the AlertTopics that the spec names."""
    return frozenset(item.topic for item in items(body) if item.topic is not None)


def bindings(body: Body, topic_of: Callable[[Key], str]) -> frozenset[Binding]:
    """Expand a spec to the bindings that it declares.

    Parameters
    ----------
    topic_of
        Gives the name in Kafka of an AlertTopic.
    """
    found: set[Binding] = set()
    for item in items(body):
        found |= item.bindings(None if item.topic is None else topic_of(item.topic))
    return frozenset(found)
