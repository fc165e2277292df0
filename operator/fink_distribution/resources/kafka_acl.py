"""KafkaAcl: what a user may do, as Kafka's bindings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from fink_distribution.resources.keys import Body, Key, Kind

CLUSTER_NAME = "kafka-cluster"
"""The only name of the Cluster resource (KIP-11)."""


@dataclass(frozen=True, order=True)
class Binding:
    """One Allow binding of Kafka's authorizer, without its principal."""

    resource_type: str
    resource_name: str
    pattern_type: str
    operation: str
    host: str

    def __str__(self) -> str:
        pattern = "" if self.pattern_type == "Literal" else "prefix "
        return f"{self.operation} on {self.resource_type} {pattern}{self.resource_name} from {self.host}"

    def to_status(self) -> dict[str, str]:
        """Return the binding as it stands in status.bindings."""
        return {_camel(key): value for key, value in asdict(self).items()}

    @classmethod
    def from_status(cls, item: Mapping[str, str]) -> Binding:
        """Read a binding of status.bindings."""
        return cls(item["resourceType"], item["resourceName"], item["patternType"], item["operation"], item["host"])


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


CONSUMER_TOPIC = ("Read", "Describe")
CONSUMER_GROUP = ("Read",)
PRODUCER_TOPIC = ("Write", "Describe", "Create")
PRODUCER_TRANSACTIONAL_ID = ("Write", "Describe")
"""What kafka-acls.sh makes of --consumer and --producer (AclCommand.scala: getConsumerResourceFilterToAcls and
getProducerResourceFilterToAcls)."""


def ledger(body: Body) -> frozenset[Binding]:
    """Return the bindings that the resource made, or was about to make."""
    return frozenset(Binding.from_status(item) for item in (body.get("status") or {}).get("bindings") or ())


def adopts(body: Body) -> bool:
    """Say whether declared permissions that were given by hand become the resource's own."""
    return bool(body["spec"].get("adoptionPolicy") == "Adopt")


def user_key(body: Body) -> Key:
    """Return the KafkaUser that the permissions are for."""
    return Key(Kind.KAFKA_USER, body["metadata"]["namespace"], body["spec"]["userRef"]["name"])


def topic_keys(body: Body) -> frozenset[Key]:
    """Return the AlertTopics that the spec names."""
    spec = body["spec"]
    named: list[Mapping[str, Any]] = []
    for role in ("consumer", "producer"):
        named += (spec.get(role) or {}).get("topics") or []
    named += [rule["resource"] for rule in spec.get("rules") or []]
    namespace = body["metadata"]["namespace"]
    return frozenset(
        Key(Kind.ALERT_TOPIC, namespace, item["topicRef"]["name"]) for item in named if item.get("topicRef")
    )


def bindings(body: Body, topic_of: Callable[[Key], str]) -> frozenset[Binding]:
    """Expand a spec to the bindings that it declares.

    Parameters
    ----------
    topic_of
        Gives the name in Kafka of an AlertTopic.
    """
    spec, namespace = body["spec"], body["metadata"]["namespace"]

    def pattern(item: Mapping[str, Any]) -> tuple[str, str]:
        if ref := item.get("topicRef"):
            return topic_of(Key(Kind.ALERT_TOPIC, namespace, ref["name"])), "Literal"
        return item.get("name", CLUSTER_NAME), item.get("patternType", "Literal")

    def expand(
        kind: str, items: Iterable[Mapping[str, Any]], operations: Iterable[str], host: str
    ) -> Iterator[Binding]:
        for item in items:
            name, pattern_type = pattern(item)
            for operation in operations:
                yield Binding(kind, name, pattern_type, operation, host)

    host = spec.get("host", "*")
    found: set[Binding] = set()
    if consumer := spec.get("consumer"):
        found.update(expand("Topic", consumer["topics"], CONSUMER_TOPIC, host))
        found.update(expand("Group", [consumer["group"]], CONSUMER_GROUP, host))
    if producer := spec.get("producer"):
        found.update(expand("Topic", producer["topics"], PRODUCER_TOPIC, host))
        if transactional_id := producer.get("transactionalId"):
            found.update(expand("TransactionalId", [transactional_id], PRODUCER_TRANSACTIONAL_ID, host))
    for rule in spec.get("rules") or []:
        found.update(expand(rule["resource"]["type"], [rule["resource"]], rule["operations"], rule.get("host", "*")))
    return frozenset(found)
