"""DistributionStream: the objects that run it, without a node to run them on."""

from __future__ import annotations

import json

from cluster.operator.scene import Scene
from cluster.operator.stream_parts import claim, declare_topics, set_stage, stream_spec
from testbed.fixtures import wait_for


def test_a_stream_has_a_user_of_its_own_that_may_write_to_its_topics_only(scene: Scene) -> None:
    set_stage(scene)
    scene.declare("DistributionStream", "ztf", stream_spec())
    wait_for(lambda: scene.exists("statefulset", "ztf-driver"), what="the StatefulSet is there")
    user = f"{scene.namespace}.ztf-stream"
    topics = (scene.name("all"), scene.name("bright"))
    on_topics = {
        f"{operation} TOPIC LITERAL {name} *"
        for operation in ("WRITE", "DESCRIBE", "DESCRIBE_CONFIGS", "READ")
        for name in topics
    }
    own = {
        f"{operation} {kind} LITERAL {user} *"
        for operation, kind in (("WRITE", "TRANSACTIONAL_ID"), ("DESCRIBE", "TRANSACTIONAL_ID"), ("READ", "GROUP"))
    }
    assert scene.acls(user) == on_topics | own
    config = json.loads(scene.get("configmap", "ztf-job")["data"]["job.json"])
    assert [output["topic"] for output in config["outputs"]] == list(topics)
    password = scene.secret("ztf-stream")["password"]
    for kind in ("configmap", "statefulset", "distributionstream", "pod"):
        assert password not in scene.kubectl("get", kind, "-n", scene.namespace, "-o", "json")
    whole = scene.kubectl(
        "auth", "can-i", "--list", "-n", scene.namespace, f"--as=system:serviceaccount:{scene.namespace}:ztf-stream"
    )
    assert "secrets" not in whole
    assert "exec" not in whole
    assert "distributionstreams.distribution.fink-broker.org/status" in whole


def test_a_pod_that_finds_no_node_is_said(scene: Scene) -> None:
    set_stage(scene)
    scene.declare("DistributionStream", "ztf", stream_spec())
    message = scene.ready("distributionstream", "ztf", "Unschedulable")
    assert "finds no node" in message


def test_what_is_missing_is_named_in_turn(scene: Scene) -> None:
    scene.declare("DistributionStream", "ztf", stream_spec())
    assert f"AlertTopic {scene.namespace}/all does not exist" in scene.ready(
        "distributionstream", "ztf", "DependencyNotReady"
    )
    declare_topics(scene)
    assert "PersistentVolumeClaim" in scene.ready("distributionstream", "ztf", "ClaimMissing")
    scene.apply(claim(scene, "science"), claim(scene, "checkpoint"))
    wait_for(lambda: scene.exists("statefulset", "ztf-driver"), what="the StatefulSet is there")


def test_a_foreign_object_of_a_needed_name_is_left_alone(scene: Scene) -> None:
    set_stage(scene)
    metadata = {"name": "ztf-job", "namespace": scene.namespace}
    scene.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"theirs": "yes"}})
    scene.declare("DistributionStream", "ztf", stream_spec())
    assert "ConfigMap" in scene.ready("distributionstream", "ztf", "Conflict")
    assert scene.get("configmap", "ztf-job")["data"] == {"theirs": "yes"}


def test_suspended_no_pod_runs_and_all_is_well(scene: Scene) -> None:
    set_stage(scene)
    scene.declare("DistributionStream", "ztf", stream_spec())
    wait_for(lambda: scene.exists("pod", "ztf-driver-0"), what="the driver's pod is there")
    scene.declare("DistributionStream", "ztf", stream_spec(suspend=True))
    scene.ready("distributionstream", "ztf", "Suspended")
    assert not scene.exists("pod", "ztf-driver-0")


def test_a_change_replaces_the_pod_and_an_edited_child_is_put_right(scene: Scene) -> None:
    set_stage(scene)
    scene.declare("DistributionStream", "ztf", stream_spec())
    wait_for(lambda: scene.exists("pod", "ztf-driver-0"), what="the driver's pod is there")
    first = scene.get("pod", "ztf-driver-0")["metadata"]["uid"]
    scene.declare("DistributionStream", "ztf", stream_spec(run={"intervalSeconds": 7}))
    wait_for(
        lambda: scene.exists("pod", "ztf-driver-0") and scene.get("pod", "ztf-driver-0")["metadata"]["uid"] != first,
        what="another pod runs",
    )
    assert json.loads(scene.get("configmap", "ztf-job")["data"]["job.json"])["trigger"] == {"intervalSeconds": 7}
    scene.kubectl("scale", "statefulset", "ztf-driver", "-n", scene.namespace, "--replicas=3")
    wait_for(lambda: scene.get("statefulset", "ztf-driver")["spec"]["replicas"] == 1, what="replicas are put right")


def test_with_the_stream_goes_all_that_it_made_but_the_topics(scene: Scene) -> None:
    set_stage(scene)
    scene.declare("DistributionStream", "ztf", stream_spec())
    wait_for(lambda: scene.exists("statefulset", "ztf-driver"), what="the StatefulSet is there")
    scene.delete("distributionstream", "ztf")
    made = [
        "statefulset/ztf-driver",
        "configmap/ztf-job",
        "secret/ztf-stream",
        "kafkauser/ztf-stream",
        "kafkaacl/ztf-stream",
    ]
    made += ["serviceaccount/ztf-stream", "role/ztf-stream", "rolebinding/ztf-stream"]
    for name in made:
        wait_for(lambda name=name: not scene.exists(*name.split("/")), what=f"{name} is gone")  # type: ignore[misc]
    user = f"{scene.namespace}.ztf-stream"
    assert scene.acls(user) == set()
    assert set(scene.topics()) == {scene.name("all"), scene.name("bright")}
