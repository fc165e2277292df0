"""Any order of apply, a killed operator, nothing to do: the same state each time."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from cluster.operator.logins import can_log_in
from cluster.operator.scene import MakeScene, Scene
from testbed.fixtures import wait_for
from testbed.polling import poll


def _group(scene: Scene, name: str) -> list[dict[str, Any]]:
    """Return a connection, a user, a topic and permissions, all named by `name`."""
    connection = {"connectionRef": {"name": name}}
    consumer = {"topics": [{"topicRef": {"name": name}}], "group": {"name": scene.name(name)}}
    return [
        scene.connection(name),
        scene.manifest("KafkaUser", name, {**connection, "userName": scene.name(name)}),
        scene.manifest("AlertTopic", name, {**connection, "topicName": scene.name(name), "partitions": 2}),
        scene.manifest("KafkaAcl", name, {"userRef": {"name": name}, "consumer": consumer}),
    ]


def _check(scene: Scene, name: str) -> None:
    scene.ready("kafkaconnection", name, "Connected", scene.home)
    for kind in ("kafkauser", "alerttopic", "kafkaacl"):
        scene.ready(kind, name, "Reconciled")
    topic = scene.name(name)
    wanted = {f"READ TOPIC LITERAL {topic} *", f"DESCRIBE TOPIC LITERAL {topic} *", f"READ GROUP LITERAL {topic} *"}
    assert scene.acls(topic) == wanted
    assert scene.topics()[topic] == 2
    assert can_log_in(scene.secret(name))


def test_every_order_of_apply_converges(make_scene: MakeScene) -> None:
    scene = make_scene(drift_seconds=600)
    scene.start()
    scene.apply(scene.admin_secret())
    orders = list(itertools.permutations(range(4)))
    for number, order in enumerate(orders):
        resources = _group(scene, f"order-{number}")
        for index in order:
            scene.apply(resources[index])
    for number in range(len(orders)):
        _check(scene, f"order-{number}")


@pytest.mark.parametrize("milliseconds", [0, 20, 50, 80, 120, 160, 200, 300, 500])
def test_an_operator_killed_at_any_moment_converges_when_it_is_back(make_scene: MakeScene, milliseconds: int) -> None:
    scene = make_scene(drift_seconds=600)
    scene.apply(scene.admin_secret(), scene.connection())
    scene.start()
    scene.ready("kafkaconnection", "default", "Connected", scene.home)
    scene.apply(*_group(scene, "default")[1:])
    poll(lambda: False, milliseconds / 1000)  # the moment of the kill is what is varied here
    scene.kill()
    scene.start()
    _check(scene, "default")
    scene.kubectl("delete", "kafkaacl,kafkauser,alerttopic", "default", "-n", scene.namespace, "--wait=false")
    poll(lambda: False, milliseconds / 1000)
    scene.kill()
    scene.start()
    wait_for(lambda: not scene.exists("kafkauser", "default"), what="the user is gone")
    wait_for(lambda: not scene.exists("kafkaacl", "default"), what="the permissions are gone")
    assert scene.users() == set()
    assert scene.acls(scene.name("default")) == set()
    assert scene.name("default") in scene.topics()


def test_a_stopped_operator_ends_well_and_what_is_unchanged_is_never_written(make_scene: MakeScene) -> None:
    scene = make_scene(drift_seconds=1)
    scene.start()
    scene.apply(scene.admin_secret(), scene.connection())
    scene.apply(*_group(scene, "default")[1:])
    _check(scene, "default")

    def versions() -> dict[str, str]:
        found = json.loads(scene.kubectl("get", "fink,secrets", "-n", scene.namespace, "-o", "json"))["items"]
        return {f"{each['kind']}/{each['metadata']['name']}": each["metadata"]["resourceVersion"] for each in found}

    # The login is tried a moment after the user is Ready, and what came of it is written then.
    wait_for(
        lambda: scene.condition("kafkauser", "default", "CredentialsVerified")["status"] == "True",
        what="the login was tried",
    )
    before = versions()
    assert len(before) == 4
    assert not poll(lambda: versions() != before, 4), "several drift passes and probes write nothing"
    assert scene.stop() == 0
    scene.start()
    assert not poll(lambda: versions() != before, 4), "neither does a new operator"
    scene.delete("kafkaacl", "default")
    assert scene.acls(scene.name("default")) == set(), "it was at work all the same"


def test_users_objects_carry_no_notes_of_the_operator(scene: Scene) -> None:
    scene.declare("AlertTopic", "alerts", {"topicName": scene.name("alerts")})
    scene.ready("alerttopic", "alerts", "Reconciled")
    metadata = scene.get("alerttopic", "alerts")["metadata"]
    assert set(metadata.get("annotations", {})) <= {"kubectl.kubernetes.io/last-applied-configuration"}
    assert "finalizers" not in metadata, "its topic is to stay, so it can go without the operator"


def test_a_resource_is_held_only_while_its_deletion_needs_the_operator(scene: Scene) -> None:
    def held(name: str) -> bool:
        return "distribution.fink-broker.org/finalizer" in scene.get("alerttopic", name)["metadata"].get(
            "finalizers", []
        )

    spec = {"topicName": scene.name("alerts"), "partitions": 1}
    scene.declare("AlertTopic", "owner", {**spec, "deletionPolicy": "Delete"})
    scene.ready("alerttopic", "owner", "Reconciled")
    assert held("owner")
    scene.declare("AlertTopic", "rival", {**spec, "deletionPolicy": "Delete"})
    scene.ready("alerttopic", "rival", "Conflict")
    assert not held("rival"), "it owns nothing"
    # While it lays claim to the topic, the topic would outlive its owner.
    scene.delete("alerttopic", "rival")
    scene.declare("AlertTopic", "owner", {**spec, "deletionPolicy": "Retain"})
    wait_for(lambda: not held("owner"), what="the finalizer goes when the topic is to stay")
    scene.declare("AlertTopic", "owner", {**spec, "deletionPolicy": "Delete"})
    wait_for(lambda: held("owner"), what="it comes back when the topic is to go")
    scene.delete("alerttopic", "owner")
    wait_for(lambda: spec["topicName"] not in scene.topics(), what="the topic is gone")


def test_a_fresh_resource_is_not_taken_for_ready_while_the_operator_is_down(make_scene: MakeScene) -> None:
    scene = make_scene()
    scene.declare("AlertTopic", "alerts", {"topicName": scene.name("alerts")})
    body = scene.get("alerttopic", "alerts")
    assert body["status"]["observedGeneration"] == -1 != body["metadata"]["generation"]
