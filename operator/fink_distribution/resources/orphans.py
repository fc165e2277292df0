"""What deleted resources left in Kafka, as the status of their KafkaConnection remembers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fink_distribution.resources import alert_topic, kafka_acl, kafka_user
from fink_distribution.resources.kafka_acl import Binding
from fink_distribution.resources.keys import API_VERSION, Body, Key, Kind
from fink_distribution.resources.modes import is_enforced

LISTED = 100
"""How many stand in status.orphans; more are counted."""

BINDINGS = 2000
"""How many ACL bindings they may have together: an object must stay well below etcd's 1.5 MiB."""

_WHAT = {Kind.ALERT_TOPIC: "topic", Kind.KAFKA_USER: "user", Kind.KAFKA_ACL: "permissions of"}


@dataclass(frozen=True)
class Orphan:
    """Something in Kafka whose resource is gone.

    Attributes
    ----------
    key, uid
        The resource.
    kafka_name
        The topic, the user, or the principal of the bindings.
    topic_id
        Which topic of that name; None if it was not known yet.
    quotas
        Of a user, those that were set for it.
    since
        When it was left behind, RFC 3339.
    """

    key: Key
    uid: str
    kafka_name: str
    since: str
    cluster_id: str | None = None
    topic_id: str | None = None
    deletion_policy: str | None = None
    bindings: tuple[Binding, ...] = ()
    quotas: Mapping[str, int] = field(default_factory=dict)

    def __str__(self) -> str:
        count = f" ({len(self.bindings)})" if self.bindings else ""
        return f"{_WHAT[self.key.kind]} {self.kafka_name}{count}"

    @classmethod
    def of(cls, body: Body, since: str) -> Orphan | None:
        """Return what a resource that goes now leaves behind; None when it leaves nothing that was to go with it."""
        key, uid, status = Key.of(body), body["metadata"]["uid"], body.get("status") or {}
        cluster_id = status.get("clusterId")
        if not is_enforced(body):
            return None
        match key.kind:
            case Kind.ALERT_TOPIC:
                topic = alert_topic.AlertTopic.of(body)
                if topic.ownership is None or topic.deletion_policy == "Retain":
                    return None
                return cls(key, uid, topic.name, since, cluster_id, topic.topic_id, topic.deletion_policy)
            case Kind.KAFKA_USER:
                user = kafka_user.KafkaUser.of(body)
                if not user.is_ours or user.deletion_policy != "Delete":
                    return None
                return cls(
                    key,
                    uid,
                    user.name,
                    since,
                    cluster_id,
                    deletion_policy=user.deletion_policy,
                    quotas=user.owned_quotas,
                )
            case Kind.KAFKA_ACL:
                owned = tuple(sorted(kafka_acl.ledger(body)))
                return cls(key, uid, status["principal"], since, cluster_id, bindings=owned) if owned else None
        return None

    def body(self, connection: str) -> Body:
        """Return the resource as it was, as far as its release needs it."""
        spec: dict[str, Any] = {"connectionRef": {"name": connection}}
        status: dict[str, Any] = {}
        match self.key.kind:
            case Kind.ALERT_TOPIC:
                spec["topicName"] = self.kafka_name
                status = {"topicName": self.kafka_name, "topicId": self.topic_id, "ownership": "Created"}
            case Kind.KAFKA_USER:
                spec["userName"] = self.kafka_name
                status = {"userName": self.kafka_name, "quotas": dict(self.quotas)}
            case Kind.KAFKA_ACL:
                spec = {}
                bindings = [binding.to_status() for binding in self.bindings]
                status = {"principal": self.kafka_name, "connection": connection, "bindings": bindings}
        if self.deletion_policy is not None:
            spec["deletionPolicy"] = self.deletion_policy
        metadata = {
            "name": self.key.name,
            "namespace": self.key.namespace,
            "uid": self.uid,
            "deletionTimestamp": self.since,
        }
        return {
            "apiVersion": API_VERSION,
            "kind": self.key.kind.value,
            "metadata": metadata,
            "spec": spec,
            "status": status,
        }

    def to_status(self) -> dict[str, Any]:
        """Return the orphan as it stands in status.orphans."""
        known = {
            "clusterId": self.cluster_id,
            "topicId": self.topic_id,
            "deletionPolicy": self.deletion_policy,
            "bindings": [binding.to_status() for binding in self.bindings],
            "quotas": dict(self.quotas),
        }
        return {
            "uid": self.uid,
            "kind": self.key.kind.value,
            "namespace": self.key.namespace,
            "name": self.key.name,
            "kafkaName": self.kafka_name,
            "since": self.since,
            **{name: value for name, value in known.items() if value},
        }

    @classmethod
    def from_status(cls, item: Mapping[str, Any]) -> Orphan:
        """Read an item of status.orphans."""
        return cls(
            key=Key(Kind(item["kind"]), item["namespace"], item["name"]),
            uid=item["uid"],
            kafka_name=item["kafkaName"],
            since=item["since"],
            cluster_id=item.get("clusterId"),
            topic_id=item.get("topicId"),
            deletion_policy=item.get("deletionPolicy"),
            bindings=tuple(Binding.from_status(binding) for binding in item.get("bindings") or ()),
            quotas=dict(item.get("quotas") or {}),
        )


def orphans_of(connection: Body) -> tuple[Orphan, ...]:
    """Return what a KafkaConnection's status remembers."""
    return tuple(Orphan.from_status(item) for item in (connection.get("status") or {}).get("orphans") or ())


def fits(orphans: Sequence[Orphan], another: Orphan) -> bool:
    """Say whether the list takes one more."""
    count = sum(len(orphan.bindings) for orphan in (*orphans, another))
    return len(orphans) < LISTED and count <= BINDINGS


def in_cluster(orphan: Orphan, cluster_id: str | None) -> Orphan:
    """Return the orphan with its cluster, for one whose resource had not written it down yet."""
    return orphan if orphan.cluster_id is not None else replace(orphan, cluster_id=cluster_id)
