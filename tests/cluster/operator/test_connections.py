"""KafkaConnection: what is said of a Kafka cluster, and what waits for it."""

from __future__ import annotations

from cluster.operator.scene import MakeScene, Scene
from testbed.broker import Broker
from testbed.fixtures import wait_for


def test_a_wrong_password_is_said_and_a_corrected_one_taken(make_scene: MakeScene) -> None:
    scene = make_scene()
    scene.start()
    scene.apply(scene.admin_secret(password="wrong"), scene.connection())
    scene.declare("AlertTopic", "alerts", {"topicName": scene.name("alerts")})
    message = scene.ready("kafkaconnection", "default", "AuthenticationFailed", scene.home)
    assert "Correct the Secret" in message
    assert "wrong" not in message
    assert "AuthenticationFailed" in scene.ready("alerttopic", "alerts", "DependencyNotReady")
    described = scene.kubectl("describe", "kconn", "default", "-n", scene.home)
    assert "Correct the Secret" in described
    scene.apply(scene.admin_secret())
    scene.ready("kafkaconnection", "default", "Connected", scene.home)
    scene.ready("alerttopic", "alerts", "Reconciled")


def test_a_missing_secret_or_key_is_named(make_scene: MakeScene) -> None:
    scene = make_scene()
    scene.start()
    scene.apply(scene.connection())
    assert f"Secret {scene.home}/kafka-admin does not exist" in scene.ready(
        "kafkaconnection", "default", "CredentialsMissing", scene.home
    )
    credentials = {"credentialsSecretRef": {"name": "kafka-admin", "passwordKey": "pass"}}
    scene.apply(scene.admin_secret(), scene.connection(sasl=credentials))
    message = "has no key pass (it has: password, username)"
    wait_for(
        lambda: message in scene.ready("kafkaconnection", "default", "CredentialsMissing", scene.home),
        what="the key is named",
    )


def test_nothing_is_written_to_another_cluster_than_the_pinned_one(make_scene: MakeScene) -> None:
    scene = make_scene()
    scene.start()
    scene.apply(scene.admin_secret(), scene.connection(clusterId="another-cluster"))
    scene.declare("AlertTopic", "alerts", {"topicName": scene.name("alerts")})
    assert "pins another-cluster" in scene.ready("kafkaconnection", "default", "ClusterMismatch", scene.home)
    scene.ready("alerttopic", "alerts", "DependencyNotReady")
    assert scene.topics() == {}


def test_a_connection_elsewhere_is_not_honoured(scene: Scene) -> None:
    theirs = scene.connection("theirs")
    theirs["metadata"]["namespace"] = scene.namespace
    scene.apply(theirs)
    assert scene.home in scene.ready("kafkaconnection", "theirs", "NotHonoured")
    scene.declare("AlertTopic", "alerts", {"topicName": scene.name("alerts"), "connectionRef": {"name": "theirs"}})
    assert "does not exist" in scene.ready("alerttopic", "alerts", "DependencyNotReady")


def test_kafka_away_is_said_and_its_return_mends_everything(make_scene: MakeScene, own_broker: Broker) -> None:
    scene = make_scene(kafka=own_broker.client_config())
    scene.start()
    scene.apply(scene.admin_secret(), scene.connection())
    scene.declare("AlertTopic", "before", {"topicName": scene.name("before")})
    scene.ready("alerttopic", "before", "Reconciled")
    own_broker.stop()
    scene.ready("kafkaconnection", "default", "KafkaUnreachable", scene.home)
    scene.declare("AlertTopic", "during", {"topicName": scene.name("during")})
    scene.declare("AlertTopic", "before", {"topicName": scene.name("before"), "partitions": 3})
    scene.declare("KafkaUser", "reader", {"userName": scene.name("reader")})
    for kind, name in (("alerttopic", "during"), ("alerttopic", "before"), ("kafkauser", "reader")):
        assert "KafkaUnreachable" in scene.ready(kind, name, "DependencyNotReady")
    assert scene.status("alerttopic", "before")["partitions"] == 1, "the last good facts are kept"
    own_broker.start()
    for kind, name in (("alerttopic", "during"), ("alerttopic", "before"), ("kafkauser", "reader")):
        scene.ready(kind, name, "Reconciled")
    assert scene.topics() == {scene.name("before"): 3, scene.name("during"): 1}


def test_a_deletion_waits_for_kafka_and_ends_at_the_deadline(make_scene: MakeScene, own_broker: Broker) -> None:
    scene = make_scene(kafka=own_broker.client_config(), deadline_seconds=30)
    scene.start()
    scene.apply(scene.admin_secret(), scene.connection())
    for name in ("waits", "left"):
        scene.declare("KafkaUser", name, {"userName": scene.name(name)})
        scene.ready("kafkauser", name, "Reconciled")
    own_broker.stop()
    scene.ready("kafkaconnection", "default", "KafkaUnreachable", scene.home)
    scene.kubectl("delete", "kafkauser", "waits", "-n", scene.namespace, "--wait=false")
    wait_for(
        lambda: "is being deleted" in scene.kubectl("get", "kuser", "waits", "-n", scene.namespace, "-o", "wide"),
        what="it waits",
    )
    own_broker.start()
    wait_for(lambda: not scene.exists("kafkauser", "waits"), what="the user is gone")
    assert scene.users() == {scene.name("left")}
    assert scene.events("LeftBehind") == []
    own_broker.stop()
    scene.ready("kafkaconnection", "default", "KafkaUnreachable", scene.home)
    scene.delete("kafkauser", "left", timeout="90s")
    events = scene.kubectl("get", "events", "-n", scene.namespace, "--field-selector=reason=LeftBehind", "-o", "wide")
    assert "may be left behind" in events
    assert not scene.exists("secret", "left")
