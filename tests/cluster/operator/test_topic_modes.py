"""AlertTopic: mode Plan and Observe."""

from __future__ import annotations

from cluster.operator.by_hand import make_topic
from cluster.operator.scene import Scene


def test_a_plan_is_shown_and_nothing_is_changed(scene: Scene) -> None:
    topic = scene.name("planned")
    spec = {"topicName": topic, "partitions": 3, "deletionPolicy": "Delete"}
    scene.declare("AlertTopic", "planned", {**spec, "mode": "Plan"})
    scene.ready("alerttopic", "planned", "ChangesPlanned")
    assert scene.status("alerttopic", "planned")["plan"] == [f"create topic {topic}: 3 partition(s)"]
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
    make_topic(scene, topic, partitions=2)
    scene.declare("AlertTopic", "watched", {"topicName": topic, "partitions": 7, "mode": "Observe"})
    scene.ready("alerttopic", "watched", "Observed")
    assert scene.status("alerttopic", "watched")["partitions"] == 2
    assert "plan" not in scene.status("alerttopic", "watched")
    scene.delete("alerttopic", "watched")
    assert scene.topics() == {topic: 2}


def test_a_plan_shows_what_kafka_would_refuse(scene: Scene) -> None:
    topic = scene.name("a.b")
    make_topic(scene, topic, partitions=4)
    config = {"retention.ms": "3600000", "segment.bytes": "1", "retention.mss": "5"}
    spec = {"topicName": topic, "partitions": 2, "replicationFactor": 2, "config": config, "adoptionPolicy": "Adopt"}
    scene.declare("AlertTopic", "planned", {**spec, "mode": "Plan"})
    message = scene.ready("alerttopic", "planned", "InvalidConfig")
    plan = scene.status("alerttopic", "planned")["plan"]
    assert plan[0] == f"adopt topic {topic}"
    refused = [line for line in plan if line.startswith("not possible: ")]
    for said in (
        "segment.bytes",
        "partitions: 2 is fewer than the 4",
        "did you mean retention.ms",
        "replicationFactor: 2 is more than the 1 broker(s)",
    ):
        assert said in " ".join(refused)
        assert said in message
    # Kafka takes a dot for an underscore in the names of its metrics, and refuses a topic that would be taken for another.
    scene.declare("AlertTopic", "collides", {"topicName": scene.name("a_b"), "mode": "Plan"})
    assert "collides" in scene.ready("alerttopic", "collides", "InvalidConfig")
    assert scene.topics() == {topic: 4}
    assert scene.topic_config(topic) == {}
