"""What deleted resources leave in a Kafka that is away is remembered, and removed when it is back."""

from __future__ import annotations

from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import NewTopic

from cluster.operator.logins import can_log_in
from cluster.operator.scene import MakeScene, Scene
from testbed.broker import Broker
from testbed.fixtures import wait_for


def _orphans(scene: Scene) -> dict[str, dict[str, Any]]:
    found = scene.status("kafkaconnection", "default", scene.home).get("orphans", [])
    return {f"{each['kind']} {each['name']}": each for each in found}


def _topic(scene: Scene, name: str, policy: str, **more: Any) -> None:
    scene.declare("AlertTopic", name, {"topicName": scene.name(name), "deletionPolicy": policy, **more})


def _begin(make_scene: MakeScene, broker: Broker) -> Scene:
    scene = make_scene(kafka=broker.client_config(), deadline_seconds=3)
    scene.start()
    scene.apply(scene.admin_secret(), scene.connection())
    return scene


def _away(scene: Scene, broker: Broker) -> None:
    broker.stop()
    scene.ready("kafkaconnection", "default", "KafkaUnreachable", scene.home)


def test_what_is_left_behind_is_remembered_and_removed_and_nothing_else(
    make_scene: MakeScene, own_broker: Broker
) -> None:
    scene = _begin(make_scene, own_broker)
    policies = {"gone": "Delete", "empty": "DeleteIfEmpty", "full": "DeleteIfEmpty", "retained": "Retain"}
    for name, policy in {**policies, "remade": "Delete", "adopted": "Delete"}.items():
        _topic(scene, name, policy)
    scene.declare("KafkaUser", "gone", {"userName": scene.name("gone")})
    consumer = {"topics": [{"topicRef": {"name": "gone"}}], "group": {"name": scene.name("gone")}}
    scene.declare("KafkaAcl", "gone", {"userRef": {"name": "gone"}, "consumer": consumer})
    scene.declare("KafkaUser", "stays", {"userName": scene.name("stays")})
    for name in (*policies, "remade", "adopted"):
        scene.ready("alerttopic", name, "Reconciled")
    for kind, name in (("kafkaacl", "gone"), ("kafkauser", "stays")):
        scene.ready(kind, name, "Reconciled")
    producer = Producer(dict(scene.admin_config))
    producer.produce(scene.name("full"), b"an alert")
    producer.flush(10)
    _away(scene, own_broker)
    scene.kubectl("delete", "kafkaacl,kafkauser", "gone", "-n", scene.namespace, "--timeout=60s")
    scene.kubectl("delete", "alerttopic", "--all", "-n", scene.namespace, "--timeout=60s")
    orphans = _orphans(scene)
    topics = {f"AlertTopic {name}" for name in ("gone", "empty", "full", "remade", "adopted")}
    assert set(orphans) == {*topics, "KafkaUser gone", "KafkaAcl gone"}
    assert orphans["AlertTopic gone"]["topicId"]
    assert (
        orphans["AlertTopic gone"]["clusterId"] == scene.status("kafkaconnection", "default", scene.home)["clusterId"]
    )
    assert len(orphans["KafkaAcl gone"]["bindings"]) == 3
    said = scene.events("LeftBehind")
    assert any(f"topic {scene.name('gone')} may be left behind" in each and "status.orphans" in each for each in said)
    # While the operator is down too, Kafka comes back and others are at work in it.
    scene.kill()
    own_broker.start()
    remade = scene.name("remade")
    scene.admin.delete_topics([remade])[remade].result()
    wait_for(lambda: remade not in scene.topics(), what="the topic is deleted by hand")
    wait_for(lambda: _made(scene, remade), what="the topic is made anew by hand")
    _topic(scene, "adopted", "Delete", adoptionPolicy="Adopt")
    scene.start()
    wait_for(lambda: _orphans(scene) == {}, timeout=90, what="nothing is left to be removed")
    scene.ready("kafkaconnection", "default", "Connected", scene.home)
    scene.ready("alerttopic", "adopted", "Reconciled")
    assert set(scene.topics()) == {scene.name(name) for name in ("full", "retained", "remade", "adopted")}
    assert scene.users() == {scene.name("stays")}
    assert scene.acls(scene.name("gone")) == set()
    cleaned, left = scene.events("CleanedUp", scene.home), scene.events("LeftBehind", scene.home)
    assert any(f"removed topic {scene.name('gone')}" in each for each in cleaned)
    assert any(remade in each and "made it anew" in each for each in left)
    assert any(scene.name("adopted") in each and "another resource has taken it over" in each for each in left)


def _made(scene: Scene, topic: str) -> bool:
    future = scene.admin.create_topics([NewTopic(topic, 1, 1)])[topic]
    return future.exception() is None


def test_what_is_declared_anew_meanwhile_is_made_anew(make_scene: MakeScene, own_broker: Broker) -> None:
    scene = _begin(make_scene, own_broker)
    _topic(scene, "alerts", "Delete", partitions=1)
    scene.declare("KafkaUser", "reader", {"userName": scene.name("reader")})
    for kind, name in (("alerttopic", "alerts"), ("kafkauser", "reader")):
        scene.ready(kind, name, "Reconciled")
    before, password = scene.status("alerttopic", "alerts")["topicId"], scene.secret("reader")["password"]
    _away(scene, own_broker)
    scene.delete("alerttopic", "alerts", timeout="60s")
    scene.delete("kafkauser", "reader", timeout="60s")
    wait_for(lambda: not scene.exists("secret", "reader"), what="the Secret is gone")
    _topic(scene, "alerts", "Delete", partitions=2)
    scene.declare("KafkaUser", "reader", {"userName": scene.name("reader")})
    assert "KafkaUnreachable" in scene.ready("alerttopic", "alerts", "DependencyNotReady")
    own_broker.start()
    for kind, name in (("alerttopic", "alerts"), ("kafkauser", "reader")):
        scene.ready(kind, name, "Reconciled")
    assert scene.topics() == {scene.name("alerts"): 2}
    assert scene.status("alerttopic", "alerts")["topicId"] != before
    assert scene.secret("reader")["password"] != password
    assert can_log_in(scene.secret("reader"))
    assert _orphans(scene) == {}


def test_a_connection_goes_only_when_its_orphans_are_removed(make_scene: MakeScene, own_broker: Broker) -> None:
    scene = _begin(make_scene, own_broker)
    scene.deadline_seconds = 60
    scene.declare("KafkaUser", "reader", {"userName": scene.name("reader")})
    scene.ready("kafkauser", "reader", "Reconciled")
    _away(scene, own_broker)
    scene.delete("kafkauser", "reader", timeout="60s")
    scene.kill()
    scene.start()
    scene.kubectl("delete", "kafkaconnection", "default", "-n", scene.home, "--wait=false")
    wait_for(
        lambda: "is being deleted" in scene.kubectl("get", "kconn", "default", "-n", scene.home, "-o", "wide"),
        timeout=90,
        what="it waits",
    )
    own_broker.start()
    scene.kubectl("wait", "--for=delete", "kafkaconnection/default", "-n", scene.home, "--timeout=60s")
    assert scene.users() == set()
