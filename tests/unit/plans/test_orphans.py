"""What deleted resources leave in Kafka: what is remembered of it, and when it is removed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from fink_distribution.plans.orphans import Keep, reason_to_keep
from fink_distribution.plans.topics import ObservedTopic
from fink_distribution.resources.kafka_acl import Binding
from fink_distribution.resources.keys import API_VERSION, Key, Kind
from fink_distribution.resources.orphans import BINDINGS, LISTED, Orphan, fits

NOW = "2026-11-24T12:00:00Z"
BINDING = Binding("Topic", "alerts", "Literal", "Read", "*")
TOPIC = Orphan(Key(Kind.ALERT_TOPIC, "ns", "a"), "u-1", "alerts", NOW, "cluster", "id-1", "Delete")
USER = Orphan(Key(Kind.KAFKA_USER, "ns", "r"), "u-2", "reader", NOW, "cluster", deletion_policy="Delete")
ACL = Orphan(Key(Kind.KAFKA_ACL, "ns", "r"), "u-3", "User:reader", NOW, "cluster", bindings=(BINDING,))


def body(kind: str, uid: str, spec: dict[str, Any], **status: Any) -> dict[str, Any]:
    metadata = {"namespace": "ns", "name": "a", "uid": uid}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": spec, "status": status}


def observed(topic_id: str) -> ObservedTopic:
    return ObservedTopic(name="alerts", topic_id=topic_id, partitions=1, replication_factor=1, config={})


@pytest.mark.parametrize("orphan", [TOPIC, USER, ACL], ids=lambda orphan: orphan.key.kind)
def test_what_stands_in_the_status_is_all_that_its_release_needs(orphan: Orphan) -> None:
    again = Orphan.from_status(orphan.to_status())
    assert again == orphan
    gone = again.body("other")
    recognised = Orphan.of({**gone, "status": {**gone["status"], "clusterId": "cluster"}}, NOW)
    assert recognised == orphan


@pytest.mark.parametrize(
    "gone",
    [
        body("AlertTopic", "u", {"topicName": "a"}, ownership="Created", topicId="id"),
        body("AlertTopic", "u", {"topicName": "a", "deletionPolicy": "Delete"}),
        body("AlertTopic", "u", {"topicName": "a", "deletionPolicy": "Delete", "mode": "Plan"}, ownership="Created"),
        body("KafkaUser", "u", {"userName": "a", "deletionPolicy": "Retain"}, userName="a"),
        body("KafkaUser", "u", {"userName": "a"}),
        body("KafkaAcl", "u", {"userRef": {"name": "a"}}, principal="User:a", connection="default", bindings=[]),
        body("DistributionStream", "u", {}),
    ],
)
def test_what_was_not_ours_or_was_to_stay_is_no_orphan(gone: dict[str, Any]) -> None:
    assert Orphan.of(gone, NOW) is None


ALERTS = {"topicName": "alerts"}


@pytest.mark.parametrize(
    ("orphan", "cluster", "others", "topic_id", "reason"),
    [
        (TOPIC, "cluster", [], "id-1", None),
        (TOPIC, "another", [], "id-1", Keep.OTHER_CLUSTER),
        (TOPIC, "cluster", [], "id-2", Keep.RECREATED),
        (TOPIC, "cluster", [], None, Keep.GONE),
        (replace(TOPIC, topic_id=None), "cluster", [], "id-1", Keep.UNKNOWN_TOPIC),
        (TOPIC, "cluster", [body("AlertTopic", "u-9", ALERTS, ownership="Adopted")], "id-1", Keep.TAKEN_OVER),
        (TOPIC, "cluster", [body("AlertTopic", "u-9", {**ALERTS, "adoptionPolicy": "Adopt"})], "id-1", Keep.TAKEN_OVER),
        (TOPIC, "cluster", [body("AlertTopic", "u-9", ALERTS)], "id-1", None),
        (TOPIC, "cluster", [body("AlertTopic", "u-1", ALERTS, ownership="Created")], "id-1", None),
        (
            TOPIC,
            "cluster",
            [body("AlertTopic", "u-9", {**ALERTS, "connectionRef": {"name": "other"}}, ownership="Created")],
            "id-1",
            None,
        ),
        (USER, "cluster", [], None, None),
        (USER, "cluster", [body("KafkaUser", "u-9", {"userName": "reader"}, userName="reader")], None, Keep.TAKEN_OVER),
        (USER, "cluster", [body("KafkaUser", "u-9", {"userName": "reader"})], None, None),
        (ACL, "cluster", [], None, None),
        (ACL, "another", [], None, Keep.OTHER_CLUSTER),
    ],
)
def test_an_orphan_is_removed_unless_it_is_not_the_same_any_more(
    orphan: Orphan, cluster: str, others: list[dict[str, Any]], topic_id: str | None, reason: Keep | None
) -> None:
    topic = observed(topic_id) if topic_id else None
    assert reason_to_keep(orphan, "default", cluster, others, topic) is reason


def test_the_list_ends() -> None:
    assert fits([TOPIC] * (LISTED - 1), TOPIC)
    assert not fits([TOPIC] * LISTED, TOPIC)
    many = replace(ACL, bindings=(BINDING,) * (BINDINGS - 1))
    assert fits([many], ACL)
    assert not fits([many, ACL], ACL)
