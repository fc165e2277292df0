"""AlertTopic: what becomes of the topic in Kafka."""

from __future__ import annotations

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic, ResourceType

from cluster.operator.scene import Scene
from testbed.fixtures import wait_for


def _make_by_hand(scene: Scene, topic: str, partitions: int = 2) -> None:
    scene.admin.create_topics([NewTopic(topic, partitions, 1)])[topic].result()
    wait_for(lambda: topic in scene.topics(), what=f"{topic} is there")


def _publish(scene: Scene, topic: str) -> None:
    producer = Producer(dict(scene.admin_config))
    producer.produce(topic, b"alert")
    assert producer.flush(10) == 0


def test_a_topic_is_created_as_declared(scene: Scene) -> None:
    topic = scene.name("alerts")
    config = {"retention.ms": "3600000", "compression.type": "zstd"}
    scene.declare(
        "AlertTopic", "alerts", {"topicName": topic, "partitions": 3, "replicationFactor": 1, "config": config}
    )
    assert topic in scene.ready("alerttopic", "alerts", "Reconciled")
    assert scene.topics() == {topic: 3}
    assert scene.topic_config(topic) == config
    status = scene.status("alerttopic", "alerts")
    assert (status["topicName"], status["partitions"], status["replicationFactor"]) == (topic, 3, 1)
    line = scene.kubectl("get", "atopic", "alerts", "-n", scene.namespace, "--no-headers").split()
    assert line[:5] == ["alerts", "True", "Reconciled", topic, "3"]


def test_a_change_is_followed_and_a_key_taken_out_returns_to_the_default(scene: Scene) -> None:
    topic = scene.name("alerts")
    scene.declare("AlertTopic", "alerts", {"topicName": topic, "partitions": 1, "config": {"retention.ms": "3600000"}})
    scene.ready("alerttopic", "alerts", "Reconciled")
    resource = ConfigResource(ResourceType.TOPIC, topic)
    resource.add_incremental_config(ConfigEntry("segment.ms", "600000", incremental_operation=AlterConfigOpType.SET))
    scene.admin.incremental_alter_configs([resource])[resource].result()
    scene.declare(
        "AlertTopic", "alerts", {"topicName": topic, "partitions": 4, "config": {"max.message.bytes": "2000000"}}
    )
    wanted = {"max.message.bytes": "2000000", "segment.ms": "600000"}
    wait_for(
        lambda: scene.topic_config(topic) == wanted, what="retention.ms is reset and the key set by hand is left alone"
    )
    assert scene.topics() == {topic: 4}
    scene.ready("alerttopic", "alerts", "Reconciled")


def test_drift_is_repaired(scene: Scene) -> None:
    topic = scene.name("alerts")
    scene.declare("AlertTopic", "alerts", {"topicName": topic, "partitions": 1, "config": {"retention.ms": "3600000"}})
    scene.ready("alerttopic", "alerts", "Reconciled")
    resource = ConfigResource(ResourceType.TOPIC, topic)
    resource.add_incremental_config(ConfigEntry("retention.ms", "1000", incremental_operation=AlterConfigOpType.SET))
    scene.admin.incremental_alter_configs([resource])[resource].result()
    wait_for(lambda: scene.topic_config(topic) == {"retention.ms": "3600000"}, what="retention.ms is put right")
    scene.admin.delete_topics([topic])[topic].result()
    wait_for(lambda: topic in scene.topics(), what="a topic that was deleted by hand is there again")


def test_a_topic_made_by_hand_is_left_alone_unless_adopted(scene: Scene) -> None:
    topic = scene.name("by-hand")
    _make_by_hand(scene, topic)
    spec = {"topicName": topic, "partitions": 5, "config": {"retention.ms": "1000"}, "deletionPolicy": "Delete"}
    scene.declare("AlertTopic", "mine", spec)
    assert "adoptionPolicy: Adopt" in scene.ready("alerttopic", "mine", "Conflict")
    assert scene.topics() == {topic: 2}
    assert scene.topic_config(topic) == {}
    scene.delete("alerttopic", "mine")
    assert topic in scene.topics()
    scene.declare("AlertTopic", "mine", {**spec, "adoptionPolicy": "Adopt", "deletionPolicy": "Retain"})
    scene.ready("alerttopic", "mine", "Reconciled")
    assert scene.topics() == {topic: 5}
    assert scene.status("alerttopic", "mine")["ownership"] == "Adopted"


@pytest.mark.parametrize(
    ("policy", "published", "remains"),
    [("Retain", False, True), ("DeleteIfEmpty", False, False), ("DeleteIfEmpty", True, True), ("Delete", True, False)],
)
def test_the_deletion_policy_decides_over_the_topic(scene: Scene, policy: str, published: bool, remains: bool) -> None:
    topic = scene.name("alerts")
    scene.declare("AlertTopic", "alerts", {"topicName": topic, "deletionPolicy": policy})
    scene.ready("alerttopic", "alerts", "Reconciled")
    if published:
        _publish(scene, topic)
    scene.delete("alerttopic", "alerts")
    wait_for(
        lambda: (topic in scene.topics()) == remains,
        what=f"after {policy} the topic {'stays' if remains else 'is gone'}",
    )


def test_of_two_resources_for_one_topic_the_first_stays_its_owner(scene: Scene) -> None:
    topic = scene.name("alerts")
    scene.declare("AlertTopic", "first", {"topicName": topic, "partitions": 2, "deletionPolicy": "Delete"})
    scene.ready("alerttopic", "first", "Reconciled")
    second = {"topicName": topic, "partitions": 7, "deletionPolicy": "Delete", "adoptionPolicy": "Adopt"}
    scene.declare("AlertTopic", "second", second)
    assert f"AlertTopic {scene.namespace}/first" in scene.ready("alerttopic", "second", "Conflict")
    scene.delete("alerttopic", "second")
    assert scene.topics() == {topic: 2}
    scene.declare("AlertTopic", "second", second)
    scene.ready("alerttopic", "second", "Conflict")
    scene.delete("alerttopic", "first")
    scene.ready("alerttopic", "second", "Reconciled")
    assert scene.topics() == {topic: 7}


def test_a_topic_deleted_and_made_anew_by_hand_is_noticed(scene: Scene) -> None:
    topic = scene.name("alerts")
    scene.declare("AlertTopic", "alerts", {"topicName": topic, "deletionPolicy": "Delete"})
    scene.ready("alerttopic", "alerts", "Reconciled")
    scene.kill()
    scene.admin.delete_topics([topic])[topic].result()
    wait_for(lambda: topic not in scene.topics(), what="the topic is gone")
    _make_by_hand(scene, topic)
    scene.start()
    assert "created anew" in scene.ready("alerttopic", "alerts", "TopicRecreated")
    scene.delete("alerttopic", "alerts")
    assert topic in scene.topics()


def test_what_the_broker_refuses_is_said_in_its_own_words(scene: Scene) -> None:
    topic = scene.name("alerts")
    scene.declare("AlertTopic", "alerts", {"topicName": topic, "config": {"retention.mss": "1"}})
    assert "retention.mss" in scene.ready("alerttopic", "alerts", "InvalidConfig")
    scene.declare("AlertTopic", "alerts", {"topicName": topic, "config": {"retention.ms": "60000"}})
    scene.ready("alerttopic", "alerts", "Reconciled")


def test_more_partitions_by_hand_are_said_and_the_rest_is_applied(scene: Scene) -> None:
    topic = scene.name("by-hand")
    _make_by_hand(scene, topic, partitions=4)
    spec = {"topicName": topic, "partitions": 2, "adoptionPolicy": "Adopt", "config": {"retention.ms": "3600000"}}
    scene.declare("AlertTopic", "alerts", spec)
    assert "Set 4 or more" in scene.ready("alerttopic", "alerts", "PartitionsCannotShrink")
    assert scene.topic_config(topic) == {"retention.ms": "3600000"}


def test_a_plan_is_shown_and_nothing_is_changed(scene: Scene) -> None:
    topic = scene.name("planned")
    spec = {"topicName": topic, "partitions": 3, "deletionPolicy": "Delete"}
    scene.declare("AlertTopic", "planned", {**spec, "mode": "Plan"})
    scene.ready("alerttopic", "planned", "ChangesPlanned")
    assert scene.status("alerttopic", "planned")["plan"] == [f"create topic {topic}"]
    assert scene.topics() == {}
    scene.declare("AlertTopic", "planned", {**spec, "mode": "Enforce"})
    scene.ready("alerttopic", "planned", "Reconciled")
    scene.declare("AlertTopic", "planned", {**spec, "partitions": 5, "mode": "Plan"})
    scene.ready("alerttopic", "planned", "ChangesPlanned")
    assert scene.status("alerttopic", "planned")["plan"] == [f"topic {topic}: partitions 3 -> 5"]
    scene.delete("alerttopic", "planned")
    assert scene.topics() == {topic: 3}, "mode Plan deletes nothing either"


def test_an_observer_sees_what_others_made_and_leaves_it_alone(scene: Scene) -> None:
    topic = scene.name("by-hand")
    _make_by_hand(scene, topic, partitions=2)
    scene.declare("AlertTopic", "watched", {"topicName": topic, "partitions": 7, "mode": "Observe"})
    scene.ready("alerttopic", "watched", "Observed")
    assert scene.status("alerttopic", "watched")["partitions"] == 2
    assert "plan" not in scene.status("alerttopic", "watched")
    scene.delete("alerttopic", "watched")
    assert scene.topics() == {topic: 2}
