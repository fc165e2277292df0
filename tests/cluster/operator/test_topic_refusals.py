"""AlertTopic: what Kafka refuses is said, with what was applied all the same."""

from __future__ import annotations

from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from cluster.operator.by_hand import make_topic, set_config
from cluster.operator.scene import MakeScene, Scene
from testbed.fixtures import wait_for

PASSWORD = "some password"


def test_what_the_broker_refuses_is_said_in_its_own_words(scene: Scene) -> None:
    topic = scene.name("alerts")
    scene.declare("AlertTopic", "alerts", {"topicName": topic, "config": {"retention.mss": "1"}})
    assert "retention.mss" in scene.ready("alerttopic", "alerts", "InvalidConfig")
    scene.declare("AlertTopic", "alerts", {"topicName": topic, "config": {"retention.ms": "60000"}})
    scene.ready("alerttopic", "alerts", "Reconciled")


def test_more_partitions_by_hand_are_said_and_the_rest_is_applied(scene: Scene) -> None:
    topic = scene.name("by-hand")
    make_topic(scene, topic, partitions=4)
    spec = {"topicName": topic, "partitions": 2, "adoptionPolicy": "Adopt", "config": {"retention.ms": "3600000"}}
    scene.declare("AlertTopic", "alerts", spec)
    assert "Set 4 or more" in scene.ready("alerttopic", "alerts", "PartitionsCannotShrink")
    assert scene.topic_config(topic) == {"retention.ms": "3600000"}


def test_a_wrong_value_and_an_unknown_key_keep_nothing_else_back(scene: Scene) -> None:
    topic = scene.name("alerts")
    scene.declare("AlertTopic", "alerts", {"topicName": topic, "partitions": 1})
    scene.ready("alerttopic", "alerts", "Reconciled")
    set_config(scene, topic, {"segment.bytes": "2000000"})
    config = {"retention.ms": "3600000", "segment.bytes": "1", "retention.mss": "5"}
    scene.declare("AlertTopic", "alerts", {"topicName": topic, "partitions": 3, "config": config})
    message = scene.ready("alerttopic", "alerts", "InvalidConfig")
    assert "segment.bytes=1" in message
    assert "config: retention.mss is no topic configuration that this Kafka knows; did you mean retention.ms" in message
    assert message.endswith("Applied: partitions, retention.ms.")
    assert scene.topics() == {topic: 3}
    assert scene.topic_config(topic) == {"retention.ms": "3600000", "segment.bytes": "2000000"}
    # A value that was never set here is not reset when the refused key is taken out.
    scene.declare("AlertTopic", "alerts", {"topicName": topic, "partitions": 3})
    scene.ready("alerttopic", "alerts", "Reconciled")
    assert scene.topic_config(topic) == {"segment.bytes": "2000000"}


def test_names_that_collide_in_kafkas_metrics_are_said(scene: Scene) -> None:
    make_topic(scene, scene.name("a.b"))
    scene.declare("AlertTopic", "collides", {"topicName": scene.name("a_b")})
    message = scene.ready("alerttopic", "collides", "InvalidConfig")
    assert "collides with existing topic" in message
    assert "is not created" in message
    assert "ownership" not in scene.status("alerttopic", "collides")
    assert scene.topics() == {scene.name("a.b"): 2}


def test_a_right_that_is_missing_for_one_call_keeps_the_others_not_back(make_scene: MakeScene) -> None:
    scene = make_scene()
    user = scene.name("no-alter-configs")
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    upsert = UserScramCredentialUpsertion(user, info, PASSWORD.encode())
    scene.admin.alter_user_scram_credentials([upsert])[user].result()
    for operation in ("CREATE", "DESCRIBE", "DESCRIBE_CONFIGS", "ALTER", "DELETE"):
        _grant(scene, user, ResourceType.TOPIC, f"{scene.namespace}.", operation)
    for operation in ("DESCRIBE", "ALTER"):
        _grant(scene, user, ResourceType.BROKER, "kafka-cluster", operation)
    secret = scene.admin_secret()
    secret["stringData"] = {"username": user, "password": PASSWORD}
    scene.start()
    scene.apply(secret, scene.connection())
    topic = scene.name("alerts")
    scene.declare("AlertTopic", "alerts", {"topicName": topic, "partitions": 1})
    scene.ready("alerttopic", "alerts", "Reconciled")
    spec = {"topicName": topic, "partitions": 4, "config": {"retention.ms": "3600000"}}
    scene.declare("AlertTopic", "alerts", spec)
    message = scene.ready("alerttopic", "alerts", "NotAuthorized")
    assert "retention.ms" in message
    assert message.endswith("Applied: partitions.")
    assert scene.topics() == {topic: 4}
    _grant(scene, user, ResourceType.TOPIC, f"{scene.namespace}.", "ALTER_CONFIGS")
    scene.ready("alerttopic", "alerts", "Reconciled")
    wait_for(lambda: scene.topic_config(topic) == spec["config"], what="the right that was given is used")


def _grant(scene: Scene, user: str, resource: ResourceType, name: str, operation: str) -> None:
    pattern = ResourcePatternType.PREFIXED if resource is ResourceType.TOPIC else ResourcePatternType.LITERAL
    allowed = AclOperation[operation], AclPermissionType.ALLOW
    binding = AclBinding(resource, name, pattern, f"User:{user}", "*", *allowed)
    scene.admin.create_acls([binding])[binding].result()
