"""`fink verify` at a real API server: what it needs, what it makes, and what it leaves."""

from __future__ import annotations

from pathlib import Path

import yaml

from cluster.operator.scene import Scene
from cluster.operator.stream_parts import set_stage, stream_spec
from fink_command import Done, fink
from testbed.environment import Environment
from testbed.fixtures import wait_for


def test_what_keeps_a_stream_from_being_verified_is_said_and_nothing_is_left(
    scene: Scene, testbed: Environment, tmp_path: Path
) -> None:
    def verify(stream: str, *options: str, kubeconfig: Path = testbed.kubeconfig) -> Done:
        done = fink("verify", stream, "-n", scene.namespace, "--kubeconfig", str(kubeconfig), *options)
        assert (done.status, done.out) == (2, "")
        return done

    assert f"DistributionStream {scene.namespace}/ztf does not exist" in verify("ztf").err
    scene.declare("DistributionStream", "ztf", stream_spec())
    scene.ready("distributionstream", "ztf", "DependencyNotReady")
    waiting = verify("ztf").err
    assert "has no StatefulSet ztf-driver yet" in waiting
    assert f"AlertTopic {scene.namespace}/all does not exist" in waiting
    assert "the stream has no output sn. It has: all, bright." in verify("ztf", "--only", "sn").err

    set_stage(scene)
    wait_for(lambda: scene.exists("pod", "ztf-driver-0"), what="the driver's pod is there")
    stuck = verify("ztf", "--timeout", "10")
    assert "not done after 10 s" in stuck.err
    assert "finds no node" in stuck.err
    wait_for(lambda: not scene.kubectl("get", "jobs", "-n", scene.namespace, "-o", "name"), what="the Job is deleted")
    wait_for(
        lambda: "verify" not in scene.kubectl("get", "pods", "-n", scene.namespace, "-o", "name"), what="so is its pod"
    )

    stranger = yaml.safe_load(testbed.kubeconfig.read_text())
    token = scene.kubectl("create", "token", "default", "-n", scene.namespace).strip()
    stranger["users"] = [{"name": each["name"], "user": {"token": token}} for each in stranger["users"]]
    file = tmp_path / "kubeconfig"
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump(stranger))
    refused = verify("ztf", kubeconfig=file)
    assert "create and delete on jobs" in refused.err
    assert token not in refused.err
