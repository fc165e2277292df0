"""Several Kafka clusters, and another one than yesterday's behind the same address."""

from __future__ import annotations

import shutil
from typing import Any

from confluent_kafka.admin import AdminClient, NewTopic

from cluster.operator.logins import can_log_in
from cluster.operator.scene import MakeScene, Scene
from testbed.broker import Broker
from testbed.fixtures import wait_for
from testbed.polling import poll

KINDS = ("alerttopic", "kafkauser", "kafkaacl")


def _declare(scene: Scene, name: str, connection: str = "default", partitions: int = 1) -> None:
    """Declare a topic, a user and its permissions, all of the same name in Kafka."""
    ref = {"connectionRef": {"name": connection}}
    topic = {"topicName": scene.name("same"), "partitions": partitions, "deletionPolicy": "Delete"}
    consumer = {"topics": [{"topicRef": {"name": name}}], "group": {"name": scene.name(name)}}
    scene.declare("AlertTopic", name, {**ref, **topic})
    scene.declare("KafkaUser", name, {**ref, "userName": scene.name("same")})
    scene.declare("KafkaAcl", name, {"userRef": {"name": name}, "consumer": consumer})


def _are(scene: Scene, name: str, reason: str) -> list[str]:
    return [scene.ready(kind, name, reason) for kind in KINDS]


def _become_another_cluster(broker: Broker) -> None:
    """What stands behind the broker's address is then new, and empty."""
    broker.stop()
    shutil.rmtree(broker.folder / "data")
    broker.start()


def _names(admin: AdminClient) -> set[str]:
    return {name for name in admin.list_topics(timeout=10).topics if not name.startswith("__")}


def test_two_clusters_have_the_same_names_and_nothing_to_do_with_each_other(
    make_scene: MakeScene, own_broker: Broker
) -> None:
    scene = make_scene()
    other = own_broker.client_config()
    secret: dict[str, Any] = scene.admin_secret(password=other["sasl.password"])
    secret["metadata"]["name"] = "other-admin"
    sasl = {"credentialsSecretRef": {"name": "other-admin"}}
    scene.start()
    scene.apply(scene.admin_secret(), secret, scene.connection())
    scene.apply(scene.connection("other", bootstrapServers=[other["bootstrap.servers"]], sasl=sasl))
    _declare(scene, "here", partitions=2)
    _declare(scene, "there", "other", partitions=3)
    _are(scene, "here", "Reconciled")
    _are(scene, "there", "Reconciled")
    admin = AdminClient(other)
    there = admin.list_topics(timeout=10).topics[scene.name("same")]
    assert (scene.topics(), len(there.partitions)) == ({scene.name("same"): 2}, 3)
    ids = {scene.status("alerttopic", name)["clusterId"] for name in ("here", "there")}
    assert len(ids) == 2
    here, elsewhere = scene.secret("here"), scene.secret("there")
    assert can_log_in(here)
    assert can_log_in(elsewhere)
    assert not can_log_in({**here, "bootstrap.servers": elsewhere["bootstrap.servers"]})
    own_broker.stop()
    scene.ready("kafkaconnection", "other", "KafkaUnreachable", scene.home)
    scene.declare("AlertTopic", "more", {"topicName": scene.name("more")})
    scene.ready("alerttopic", "more", "Reconciled")
    assert "other" in scene.ready("alerttopic", "there", "DependencyNotReady")
    own_broker.start()
    _are(scene, "there", "Reconciled")
    for name in ("kafkaacl", "kafkauser", "alerttopic"):
        scene.delete(name, "there")
    assert _names(admin) == set()
    assert set(scene.topics()) == {scene.name("same"), scene.name("more")}
    assert scene.users() == {scene.name("same")}
    assert scene.acls(scene.name("same")) != set()


def test_another_cluster_behind_the_same_address_stops_everything_until_a_person_means_it(
    make_scene: MakeScene, own_broker: Broker
) -> None:
    scene = make_scene(kafka=own_broker.client_config())
    scene.start()
    scene.apply(scene.admin_secret(), scene.connection())
    _declare(scene, "mine")
    scene.declare("AlertTopic", "foreign", {"topicName": scene.name("foreign"), "deletionPolicy": "Delete"})
    _are(scene, "mine", "Reconciled")
    scene.ready("alerttopic", "foreign", "Reconciled")
    before = scene.status("kafkaconnection", "default", scene.home)["clusterId"]
    _become_another_cluster(own_broker)
    scene.admin.create_topics([NewTopic(scene.name("foreign"), 1, 1)])[scene.name("foreign")].result()
    message = scene.ready("kafkaconnection", "default", "ClusterMismatch", scene.home)
    assert f"was cluster {before} and is now cluster" in message
    now = message.partition("set clusterId: ")[2].rstrip(".")
    assert scene.condition("kafkaconnection", "default", "KafkaReachable", scene.home)["status"] == "True"
    _declare(scene, "mine", partitions=3)
    assert all(f"KafkaConnection {scene.home}/default" in each for each in _are(scene, "mine", "DependencyNotReady"))
    assert _names(scene.admin) == {scene.name("foreign")}
    assert scene.users() == set()
    scene.apply(scene.connection(clusterId=now))
    scene.ready("kafkaconnection", "default", "Connected", scene.home)
    _are(scene, "mine", "Reconciled")
    assert scene.topics()[scene.name("same")] == 3
    assert can_log_in(scene.secret("mine"))
    assert scene.acls(scene.name("same")) != set()
    assert any(before in event and now in event for event in scene.events("ClusterChanged"))
    scene.ready("alerttopic", "foreign", "Conflict")
    scene.delete("alerttopic", "foreign")
    assert scene.name("foreign") in scene.topics(), "it was made by hand, in this cluster"


def test_a_pinned_cluster_that_is_swapped_is_refused_before_the_next_look_at_it(
    make_scene: MakeScene, own_broker: Broker
) -> None:
    scene = make_scene(kafka=own_broker.client_config(), probe_seconds=600, drift_seconds=600)
    pinned = scene.admin.describe_cluster(request_timeout=10).result().cluster_id
    scene.start()
    scene.apply(scene.admin_secret(), scene.connection(clusterId=pinned))
    scene.ready("kafkaconnection", "default", "Connected", scene.home)
    _become_another_cluster(own_broker)
    assert scene.ready("kafkaconnection", "default", "Connected", scene.home), "nobody has looked since"
    _declare(scene, "mine")
    assert "ClusterMismatch" in wait_for(
        lambda: (
            found if "ClusterMismatch" in (found := scene.ready("alerttopic", "mine", "DependencyNotReady")) else ""
        ),
        what="the topic says why it waits",
    )
    assert f"pins {pinned}" in scene.ready("kafkaconnection", "default", "ClusterMismatch", scene.home)
    assert not poll(lambda: bool(_names(scene.admin) | scene.users()), 2), "nothing is written to it"
