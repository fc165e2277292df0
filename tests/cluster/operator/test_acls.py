"""KafkaAcl: what becomes of the bindings in Kafka."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from cluster.operator.logins import read, write
from cluster.operator.scene import Scene
from testbed.fixtures import wait_for


@pytest.fixture
def reader(scene: Scene) -> str:
    """A user and a topic; the user's name in Kafka."""
    user = scene.name("reader")
    scene.declare("KafkaUser", "reader", {"userName": user})
    scene.declare("AlertTopic", "alerts", {"topicName": scene.name("alerts")})
    scene.ready("kafkauser", "reader", "Reconciled")
    scene.ready("alerttopic", "alerts", "Reconciled")
    return user


def _consumer(scene: Scene, **more: object) -> dict[str, object]:
    group = {"name": scene.name("group"), "patternType": "Prefixed"}
    return {
        "userRef": {"name": "reader"},
        "consumer": {"topics": [{"topicRef": {"name": "alerts"}}], "group": group},
        **more,
    }


def test_a_consumer_may_read_and_nothing_else(scene: Scene, reader: str) -> None:
    topic = scene.name("alerts")
    secret = scene.secret("reader")
    with pytest.raises(KafkaException):
        read(secret, topic, scene.name("group-1"))
    scene.declare("KafkaAcl", "reads", _consumer(scene))
    scene.ready("kafkaacl", "reads", "Reconciled")
    assert read(secret, topic, scene.name("group-1")) == []
    with pytest.raises(KafkaException):
        read(secret, topic, "another-group")
    with pytest.raises(KafkaException):
        write(secret, topic, b"alert")
    line = scene.kubectl("get", "kacl", "reads", "-n", scene.namespace, "--no-headers").split()
    assert line[:5] == ["reads", "True", "Reconciled", f"User:{reader}", "3"]


def test_a_change_grants_and_revokes_the_difference(scene: Scene, reader: str) -> None:
    topic = scene.name("alerts")
    rule = {
        "name": "topic",
        "resource": {"type": "Topic", "topicRef": {"name": "alerts"}},
        "operations": ["Read", "Describe"],
    }
    scene.declare("KafkaAcl", "rules", {"userRef": {"name": "reader"}, "rules": [rule]})
    scene.ready("kafkaacl", "rules", "Reconciled")
    cluster = {"name": "cluster", "resource": {"type": "Cluster"}, "operations": ["IdempotentWrite"]}
    write_only = {**rule, "operations": ["Describe", "Write"], "host": "192.0.2.7"}
    scene.declare("KafkaAcl", "rules", {"userRef": {"name": "reader"}, "rules": [write_only, cluster]})
    wanted = {
        f"DESCRIBE TOPIC LITERAL {topic} 192.0.2.7",
        f"WRITE TOPIC LITERAL {topic} 192.0.2.7",
        "IDEMPOTENT_WRITE BROKER LITERAL kafka-cluster *",
    }
    wait_for(lambda: scene.acls(reader) == wanted, what="the bindings are the new ones")
    scene.ready("kafkaacl", "rules", "Reconciled")


def test_bindings_made_by_hand_stay(scene: Scene, reader: str) -> None:
    topic = scene.name("alerts")
    words = (ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, f"User:{reader}", "*")
    by_hand = [
        AclBinding(*words, operation, AclPermissionType.ALLOW) for operation in (AclOperation.READ, AclOperation.DELETE)
    ]
    for future in scene.admin.create_acls(by_hand).values():
        future.result()
    scene.declare("KafkaAcl", "reads", _consumer(scene))
    scene.ready("kafkaacl", "reads", "Reconciled")
    scene.delete("kafkaacl", "reads")
    assert scene.acls(reader) == {f"READ TOPIC LITERAL {topic} *", f"DELETE TOPIC LITERAL {topic} *"}


def test_bindings_made_by_hand_that_are_adopted_go_with_the_resource(scene: Scene, reader: str) -> None:
    topic = scene.name("alerts")
    words = (ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, f"User:{reader}", "*")
    by_hand = [
        AclBinding(*words, operation, AclPermissionType.ALLOW) for operation in (AclOperation.READ, AclOperation.DELETE)
    ]
    for future in scene.admin.create_acls(by_hand).values():
        future.result()
    scene.declare("KafkaAcl", "reads", {**_consumer(scene), "adoptionPolicy": "Adopt"})
    scene.ready("kafkaacl", "reads", "Reconciled")
    scene.delete("kafkaacl", "reads")
    assert scene.acls(reader) == {f"DELETE TOPIC LITERAL {topic} *"}


def test_a_binding_of_two_resources_goes_with_the_last(scene: Scene, reader: str) -> None:
    topic = scene.name("alerts")
    for name in ("one", "two"):
        scene.declare("KafkaAcl", name, _consumer(scene))
        scene.ready("kafkaacl", name, "Reconciled")
    granted = scene.acls(reader)
    scene.delete("kafkaacl", "one")
    assert scene.acls(reader) == granted
    assert f"READ TOPIC LITERAL {topic} *" in granted
    scene.delete("kafkaacl", "two")
    assert scene.acls(reader) == set()


def test_a_binding_removed_by_hand_comes_back(scene: Scene, reader: str) -> None:
    scene.declare("KafkaAcl", "reads", _consumer(scene))
    scene.ready("kafkaacl", "reads", "Reconciled")
    granted = scene.acls(reader)
    wanted = AclBindingFilter(
        ResourceType.TOPIC,
        scene.name("alerts"),
        ResourcePatternType.LITERAL,
        f"User:{reader}",
        "*",
        AclOperation.READ,
        AclPermissionType.ALLOW,
    )
    for future in scene.admin.delete_acls([wanted]).values():
        assert len(future.result()) == 1
    wait_for(lambda: scene.acls(reader) == granted, what="the binding is there again")


def test_what_is_missing_is_named_and_its_arrival_wakes_the_waiter(scene: Scene) -> None:
    scene.declare("KafkaAcl", "reads", _consumer(scene))
    assert "KafkaUser" in scene.ready("kafkaacl", "reads", "DependencyNotReady")
    scene.declare("KafkaUser", "reader", {"userName": scene.name("reader")})
    wait_for(lambda: "AlertTopic" in scene.ready("kafkaacl", "reads", "DependencyNotReady"), what="the topic is named")
    scene.declare("AlertTopic", "alerts", {"topicName": scene.name("alerts")})
    scene.ready("kafkaacl", "reads", "Reconciled", timeout=5)


def test_what_comes_in_one_apply_is_not_told_to_wait(scene: Scene) -> None:
    scene.declare("KafkaAcl", "both", {"userRef": {"name": "later"}, "consumer": _consumer(scene)["consumer"]})
    scene.declare("AlertTopic", "alerts", {"topicName": scene.name("alerts")})
    scene.declare("KafkaUser", "later", {"userName": scene.name("later")})
    scene.ready("kafkaacl", "both", "Reconciled")
    assert "both: DependencyNotReady" not in scene.log.read_text()
