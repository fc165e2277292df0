"""The Slack notifier of a DistributionStream: the objects that run it, without a node to run them on."""

from __future__ import annotations

import json
from typing import Any

from cluster.operator.scene import Scene
from cluster.operator.stream_parts import set_stage, stream_spec
from testbed.fixtures import wait_for

TOKEN = "xoxb-of-the-tests"
NO_NODE_HAS = {"memory": "1000Gi"}  # what keeps the notifier's pod waiting where there is a node
MADE = ("deployment", "configmap", "kafkaacl", "kafkauser", "secret")


def _slack(**more: Any) -> dict[str, Any]:
    return {
        "tokenSecretRef": {"name": "workspace"},
        "routes": [{"outputs": ["bright"], "to": "#bright"}],
        "resources": NO_NODE_HAS,
        **more,
    }


def _slack_ready(scene: Scene, status: str, reason: str) -> str:
    """Wait for the condition; return what it says."""

    def look() -> str:
        found = scene.condition("dstream", "ztf", "SlackReady")
        assert (found.get("status"), found.get("reason")) == (status, reason), found
        return found["message"]

    return wait_for(look, timeout=60, what=f"the notifier is {reason}")


def _document(scene: Scene) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(scene.get("configmap", "ztf-slack")["data"]["slack.json"])
    return found


def test_a_notifier_is_made_follows_its_declaration_and_goes_with_it(scene: Scene) -> None:
    set_stage(scene)
    scene.declare("DistributionStream", "ztf", stream_spec(slack=_slack()))
    said = _slack_ready(scene, "False", "CredentialsMissing")
    assert f"Secret {scene.namespace}/workspace does not exist (spec.slack.tokenSecretRef)" in said
    assert not scene.exists("deployment", "ztf-slack")
    scene.ready("distributionstream", "ztf", "Unschedulable")
    wait_for(lambda: scene.events("CredentialsMissing"), what="an Event says so")
    (told,) = scene.events("CredentialsMissing")
    assert told.startswith("Slack notifier: Secret")

    metadata = {"name": "workspace", "namespace": scene.namespace}
    scene.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"token": TOKEN}})
    assert "finds no node" in _slack_ready(scene, "Unknown", "Unschedulable")
    user, bright = f"{scene.namespace}.ztf-slack", scene.name("bright")
    reads = {f"READ TOPIC LITERAL {bright} *", f"DESCRIBE TOPIC LITERAL {bright} *"}
    assert scene.acls(user) == {*reads, f"READ GROUP LITERAL {user} *"}
    assert _document(scene)["routes"] == [{"topics": [bright], "to": "#bright", "threads": False}]
    stream = scene.get("dstream", "ztf")["metadata"]["uid"]
    for kind in MADE[:-1]:
        (owner,) = scene.get(kind, "ztf-slack")["metadata"]["ownerReferences"]
        assert owner["uid"] == stream, kind
    secrets = (TOKEN, scene.secret("ztf-slack")["password"])
    shown = scene.kubectl("get", "deployment,configmap,pod,fink,event", "-n", scene.namespace, "-o", "json")
    assert not any(secret in shown for secret in secrets)

    before = scene.get("deployment", "ztf-slack")["spec"]["template"]
    changed = _slack(routes=[{"to": "#all", "where": [{"field": "jd", "operator": ">", "number": "0.5"}]}])
    scene.declare("DistributionStream", "ztf", stream_spec(slack=changed))
    wait_for(
        lambda: scene.get("deployment", "ztf-slack")["spec"]["template"] != before, what="there is another template"
    )
    (route,) = _document(scene)["routes"]
    assert route["topics"] == [scene.name("all"), bright]
    assert route["where"] == [{"field": "jd", "operator": ">", "value": 0.5}]
    wait_for(lambda: f"READ TOPIC LITERAL {scene.name('all')} *" in scene.acls(user), what="it may read the other too")

    scene.declare("DistributionStream", "ztf", stream_spec())
    for kind in MADE:
        wait_for(lambda kind=kind: not scene.exists(kind, "ztf-slack"), what=f"the {kind} is gone")  # type: ignore[misc]
    wait_for(lambda: user not in scene.users() and scene.acls(user) == set(), what="Kafka has forgotten it")
    wait_for(lambda: not scene.condition("dstream", "ztf", "SlackReady"), what="nothing is said of it any more")
    assert scene.exists("statefulset", "ztf-driver")
    assert scene.secret("workspace") == {"token": TOKEN}


def test_what_others_made_is_left_alone_and_the_stream_is_ready_all_the_same(scene: Scene) -> None:
    set_stage(scene)
    labels = {"app": "theirs"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "theirs", "image": "localhost/theirs"}]}}
    foreign = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "ztf-slack", "namespace": scene.namespace},
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": pod},
    }
    scene.apply(foreign)
    theirs = scene.get("deployment", "ztf-slack")["metadata"]
    scene.declare("DistributionStream", "ztf", stream_spec(slack=_slack(), suspend=True))
    assert "Deployment" in _slack_ready(scene, "False", "Conflict")
    scene.ready("distributionstream", "ztf", "Suspended")
    scene.declare("DistributionStream", "ztf", stream_spec(suspend=True))
    wait_for(lambda: not scene.exists("kafkauser", "ztf-slack"), what="what is the stream's own is removed")
    found = scene.get("deployment", "ztf-slack")["metadata"]
    assert (found["uid"], found["generation"]) == (theirs["uid"], theirs["generation"])

    scene.delete("deployment", "ztf-slack")
    scene.declare("DistributionStream", "ztf", stream_spec(slack=_slack(), suspend=True))
    _slack_ready(scene, "True", "Suspended")
    assert scene.get("deployment", "ztf-slack")["spec"]["replicas"] == 0
    scene.delete("distributionstream", "ztf")
    for kind in MADE:
        wait_for(lambda kind=kind: not scene.exists(kind, "ztf-slack"), what=f"the {kind} is gone")  # type: ignore[misc]
