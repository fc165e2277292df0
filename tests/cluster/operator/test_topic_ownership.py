"""AlertTopic: whose a topic is, and what its deletion does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from cluster.operator.by_hand import delete_topic, make_topic, messages, publish
from cluster.operator.contexts import context_in
from cluster.operator.scene import MakeScene, Scene
from fink_distribution.cluster.api import Cluster
from fink_distribution.reconcile.context import Context
from fink_distribution.reconcile.controller import Controller
from fink_distribution.reconcile.registry import Registry
from fink_distribution.resources.keys import Body, Key
from testbed.fixtures import MakeBrokers, wait_for


def test_a_topic_made_by_hand_is_left_alone_unless_adopted(scene: Scene) -> None:
    topic = scene.name("by-hand")
    make_topic(scene, topic)
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


def test_of_two_resources_for_one_topic_the_first_stays_its_owner(scene: Scene) -> None:
    topic = scene.name("alerts")
    scene.declare("AlertTopic", "first", {"topicName": topic, "partitions": 2, "deletionPolicy": "Delete"})
    scene.ready("alerttopic", "first", "Reconciled")
    second = {"topicName": topic, "partitions": 7, "deletionPolicy": "Delete", "adoptionPolicy": "Adopt"}
    scene.declare("AlertTopic", "second", second)
    assert f"AlertTopic {scene.namespace}/first" in scene.ready("alerttopic", "second", "Conflict")
    publish(scene, topic, 3)
    scene.delete("alerttopic", "second")
    assert scene.topics() == {topic: 2}
    scene.declare("AlertTopic", "second", second)
    scene.ready("alerttopic", "second", "Conflict")
    scene.delete("alerttopic", "first")
    scene.ready("alerttopic", "second", "Reconciled")
    assert scene.topics() == {topic: 7}
    assert messages(scene, topic) == 3, "what the first had said of deletion does not touch what the second has now"
    assert scene.status("alerttopic", "second")["ownership"] == "Adopted"
    # Nobody else lays claim to it any more.
    scene.delete("alerttopic", "second")
    wait_for(lambda: topic not in scene.topics(), what="deletionPolicy: Delete of the last one counts")


def test_a_topic_deleted_and_made_anew_by_hand_is_noticed(scene: Scene) -> None:
    topic = scene.name("alerts")
    scene.declare("AlertTopic", "alerts", {"topicName": topic, "deletionPolicy": "Delete"})
    scene.ready("alerttopic", "alerts", "Reconciled")
    scene.kill()
    delete_topic(scene, topic)
    make_topic(scene, topic)
    scene.start()
    assert "created anew" in scene.ready("alerttopic", "alerts", "TopicRecreated")
    scene.delete("alerttopic", "alerts")
    assert topic in scene.topics()


@pytest.mark.parametrize(
    ("policy", "published", "remains"),
    [("Retain", False, True), ("DeleteIfEmpty", False, False), ("DeleteIfEmpty", True, True), ("Delete", True, False)],
)
def test_the_deletion_policy_decides_over_the_topic(scene: Scene, policy: str, published: bool, remains: bool) -> None:
    topic = scene.name("alerts")
    scene.declare("AlertTopic", "alerts", {"topicName": topic, "deletionPolicy": policy})
    scene.ready("alerttopic", "alerts", "Reconciled")
    if published:
        publish(scene, topic)
    scene.delete("alerttopic", "alerts")
    wait_for(
        lambda: (topic in scene.topics()) == remains,
        what=f"after {policy} the topic {'stays' if remains else 'is gone'}",
    )


def test_a_topic_is_handed_over_between_namespaces_with_its_messages(scene: Scene) -> None:
    """A change of teams: the new resource is applied, and the old one deleted, whatever its deletionPolicy."""
    topic = scene.name("alerts")
    spec = {"topicName": topic, "partitions": 1, "deletionPolicy": "Delete"}
    scene.declare("AlertTopic", "alerts", spec)
    scene.ready("alerttopic", "alerts", "Reconciled")
    publish(scene, topic, 5)
    scene.apply(scene.manifest("AlertTopic", "taken-over", spec, scene.home))
    scene.ready("alerttopic", "taken-over", "Conflict", scene.home)
    scene.delete("alerttopic", "alerts")
    assert "lays claim to it, so it stays" in scene.kubectl("get", "events", "-n", scene.namespace)
    # It has not said that it wants what is there already.
    assert "adoptionPolicy: Adopt" in scene.ready("alerttopic", "taken-over", "Conflict", scene.home)
    scene.apply(scene.manifest("AlertTopic", "taken-over", {**spec, "adoptionPolicy": "Adopt"}, scene.home))
    scene.ready("alerttopic", "taken-over", "Reconciled", scene.home)
    assert messages(scene, topic) == 5


def test_a_topic_that_may_not_be_deleted_is_said_and_let_go_at_the_deadline(
    make_scene: MakeScene, own_brokers: MakeBrokers
) -> None:
    (broker,) = own_brokers(1, {"delete.topic.enable": "false"})
    scene = make_scene(kafka=broker.client_config(), deadline_seconds=20)
    scene.start()
    scene.apply(scene.admin_secret(), scene.connection())
    topic = scene.name("alerts")
    scene.declare("AlertTopic", "alerts", {"topicName": topic, "deletionPolicy": "Delete"})
    scene.ready("alerttopic", "alerts", "Reconciled")
    scene.kubectl("delete", "alerttopic", "alerts", "-n", scene.namespace, "--wait=false")
    assert "delete.topic.enable=false" in scene.ready("alerttopic", "alerts", "DeletionDisabled")
    wait_for(lambda: not scene.exists("alerttopic", "alerts"), timeout=60, what="the resource is let go")
    assert topic in scene.topics()
    events = scene.kubectl("get", "events", "-n", scene.namespace)
    assert "LeftBehind" in events


class _Race(Context):
    """A world in which somebody is faster: what they do happens after the operator has looked, and before it changes anything."""

    scene: Scene
    topic: str

    def changing(self, body: Body, change: object) -> None:
        if self.topic not in self.scene.topics():
            make_topic(self.scene, self.topic, partitions=3)
            publish(self.scene, self.topic)
        super().changing(body, change)


async def _lose_a_race(scene: Scene, topic: str, name: str) -> list[str]:
    """Reconcile one resource in this process until it comes to rest; return the reasons that it had."""
    async with Cluster.connect(10, scene.environment["KUBECONFIG"]) as cluster:
        registry = Registry(scene.home)
        context = _Race(**vars(context_in(scene.home, cluster, registry)))
        context.scene, context.topic = scene, topic
        controller, reasons = Controller(context), []
        for kind, each, namespace in (("kafkaconnection", "default", scene.home), ("alerttopic", name, None)):
            body = scene.get(kind, each, namespace)
            registry.see(body)
            key = Key.of(body)
            again: float | None = 0
            while again is not None and again < 1:
                again = await controller.turn(key)
                reasons.append(_reason(registry.get(key)))
        return reasons[1:]


def _reason(body: Any) -> str:
    (ready,) = [each["reason"] for each in body["status"]["conditions"] if each["type"] == "Ready"]
    return str(ready)


@pytest.mark.parametrize(("policy", "end"), [("Refuse", "Conflict"), ("Adopt", "Reconciled")])
def test_a_topic_that_somebody_makes_at_the_same_moment_is_theirs(make_scene: MakeScene, policy: str, end: str) -> None:
    scene = make_scene()
    topic = scene.name("alerts")
    scene.apply(scene.admin_secret(), scene.connection())
    scene.declare("AlertTopic", "alerts", {"topicName": topic, "deletionPolicy": "Delete", "adoptionPolicy": policy})
    assert asyncio.run(_lose_a_race(scene, topic, "alerts")) == ["Progressing", end]
    assert scene.topics() == {topic: 3}
    assert scene.status("alerttopic", "alerts").get("ownership") == (None if policy == "Refuse" else "Adopted")


def test_after_a_crash_a_topic_is_ours_only_when_it_is_as_we_asked_for(make_scene: MakeScene) -> None:
    """The operator died after it had written down that it was about to create both, and before it wrote down their ids."""
    scene = make_scene()
    ours, theirs = scene.name("ours"), scene.name("theirs")
    for name, topic, partitions in (("ours", ours, 2), ("theirs", theirs, 5)):
        scene.declare("AlertTopic", name, {"topicName": topic, "partitions": 2, "deletionPolicy": "Delete"})
        patch = f'{{"status": {{"ownership": "Creating", "topicName": "{topic}"}}}}'
        scene.kubectl(
            "patch", f"atopic/{name}", "-n", scene.namespace, "--subresource=status", "--type=merge", "-p", patch
        )
        make_topic(scene, topic, partitions)
    scene.start()
    scene.apply(scene.admin_secret(), scene.connection())
    scene.ready("alerttopic", "ours", "Reconciled")
    assert scene.status("alerttopic", "ours")["ownership"] == "Created"
    scene.ready("alerttopic", "theirs", "Conflict")
    assert "ownership" not in scene.status("alerttopic", "theirs")
    scene.delete("alerttopic", "theirs")
    scene.delete("alerttopic", "ours")
    wait_for(lambda: scene.topics() == {theirs: 5}, what="only ours is deleted")
