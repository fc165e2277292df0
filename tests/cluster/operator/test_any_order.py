"""Six resources, in whatever order they are applied and deleted: the same end, and nothing left of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from cluster.operator.scene import MakeScene, Scene
from testbed.fixtures import wait_for

SIX = ("connection", "topic-a", "topic-b", "user", "reader", "writer")
KINDS = {"connection": "kafkaconnection", "topic-a": "alerttopic", "topic-b": "alerttopic", "user": "kafkauser"}

orders = st.permutations(SIX)


def _six(scene: Scene) -> dict[str, dict[str, Any]]:
    through = {"connectionRef": {"name": "six"}}
    topic = {**through, "partitions": 2, "deletionPolicy": "Delete"}
    consumer = {"topics": [{"topicRef": {"name": "topic-a"}}], "group": {"name": scene.name("group")}}
    # Both grant Describe on topic a: a binding of two resources.
    producer = {"topics": [{"topicRef": {"name": "topic-a"}}, {"topicRef": {"name": "topic-b"}}]}
    return {
        "connection": scene.connection("six"),
        "topic-a": scene.manifest("AlertTopic", "topic-a", {**topic, "topicName": scene.name("a")}),
        "topic-b": scene.manifest("AlertTopic", "topic-b", {**topic, "topicName": scene.name("b")}),
        "user": scene.manifest("KafkaUser", "user", {**through, "userName": scene.name("user")}),
        "reader": scene.manifest("KafkaAcl", "reader", {"userRef": {"name": "user"}, "consumer": consumer}),
        "writer": scene.manifest("KafkaAcl", "writer", {"userRef": {"name": "user"}, "producer": producer}),
    }


def _expected(scene: Scene) -> set[str]:
    a, b = scene.name("a"), scene.name("b")
    produced = {
        f"{operation} TOPIC LITERAL {topic} *" for topic in (a, b) for operation in ("WRITE", "DESCRIBE", "CREATE")
    }
    return {f"READ TOPIC LITERAL {a} *", f"READ GROUP LITERAL {scene.name('group')} *", *produced}


@pytest.fixture
def quiet_scene(make_scene: MakeScene) -> Scene:
    """A scene in which nothing is found by the drift pass: whoever waits has to be woken."""
    scene = make_scene(drift_seconds=600)
    scene.apply(scene.admin_secret())
    scene.start()
    return scene


@pytest.mark.timeout(1200)
def test_every_order_of_applying_and_deleting_has_the_same_end(quiet_scene: Scene) -> None:
    scene = quiet_scene

    @settings(
        max_examples=12,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(applied=orders, deleted=orders)
    def play(applied: list[str], deleted: list[str]) -> None:
        six = _six(scene)
        for name in applied:
            scene.apply(six[name])
        scene.ready("kafkaconnection", "six", "Connected", scene.home)
        for name in SIX[1:]:
            scene.ready(KINDS.get(name, "kafkaacl"), name, "Reconciled")
        assert scene.topics() == {scene.name("a"): 2, scene.name("b"): 2}
        assert scene.users() == {scene.name("user")}
        assert scene.acls(scene.name("user")) == _expected(scene)
        for name in deleted:
            body = six[name]["metadata"]
            kind = KINDS.get(name, "kafkaacl")
            scene.kubectl("delete", kind, body["name"], "-n", body["namespace"], "--wait=false")
        for name in SIX:
            body = six[name]["metadata"]
            kind = KINDS.get(name, "kafkaacl")
            wait_for(
                lambda kind=kind, body=body: (
                    not scene.kubectl(
                        "get", kind, body["name"], "-n", body["namespace"], "--ignore-not-found", "-o", "name"
                    )
                ),
                what=f"{kind} {name} is gone (deleted as {deleted})",
            )
        assert scene.topics() == {}
        assert scene.users() == set()
        assert scene.acls(scene.name("user")) == set()

    play()
