"""AlertTopic: what becomes of the topic in Kafka."""

from __future__ import annotations

from cluster.operator.by_hand import set_config
from cluster.operator.scene import Scene
from testbed.fixtures import wait_for


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
    set_config(scene, topic, {"segment.ms": "600000"})
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
    set_config(scene, topic, {"retention.ms": "1000"})
    wait_for(lambda: scene.topic_config(topic) == {"retention.ms": "3600000"}, what="retention.ms is put right")
    scene.admin.delete_topics([topic])[topic].result()
    wait_for(lambda: topic in scene.topics(), what="a topic that was deleted by hand is there again")


def test_values_that_kafka_writes_otherwise_settle(scene: Scene) -> None:
    topic = scene.name("alerts").ljust(249, "x")
    config = {
        "cleanup.policy": "compact,delete",
        "min.cleanable.dirty.ratio": "0.50",
        "index.interval.bytes": "+4096",
        "follower.replication.throttled.replicas": "0:1, 0:2",
    }
    scene.declare("AlertTopic", "alerts", {"topicName": topic, "partitions": 1, "config": config})
    scene.ready("alerttopic", "alerts", "Reconciled")
    assert scene.topics() == {topic: 1}, "249 characters are the most that a name may have"
    # A drift pass puts right what really differs, and only that.
    log = scene.log.read_text()
    set_config(scene, topic, {"min.cleanable.dirty.ratio": "0.25"})
    wait_for(lambda: scene.topic_config(topic)["min.cleanable.dirty.ratio"] == "0.5", what="a pass has come by")
    changed = [line for line in scene.log.read_text()[len(log) :].splitlines() if f"topic {topic}: " in line]
    assert ["min.cleanable.dirty.ratio=0.50" in line and "index" not in line for line in changed] == [True]
