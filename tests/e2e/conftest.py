"""Fixtures for the tests on the real node: the operator installed by the chart, and a namespace to run streams in."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.operator.conftest import release
from cluster.operator.scene import Scene, environment_of
from e2e.stage import Stage
from slack_server import SlackServer, slack_server
from testbed import machine
from testbed.environment import Environment, properties
from testbed.fixtures import Kubectl

CHART = Path(__file__).parents[2] / "charts" / "fink-distribution"


@pytest.fixture(scope="session")
def slack(testbed: Environment) -> Iterator[SlackServer]:
    """A workspace of Slack's that pods reach."""
    with slack_server(machine.BRIDGE_ADDRESS) as server:
        yield server


@pytest.fixture(scope="session")
def stage(
    kubectl: Kubectl, crds: None, testbed: Environment, slack: SlackServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """The operator, installed as people install it, for one namespace; its own restricted by the Pod Security Standard."""
    admin = properties(testbed.kafka_admin_config)
    scene = Scene(kubectl, environment_of(testbed.kubeconfig), admin, tmp_path_factory.mktemp("operator") / "log")
    stage = Stage(scene, testbed.science_dir / scene.namespace)
    try:
        for namespace in (scene.home, scene.namespace):
            kubectl("create", "namespace", namespace)
            kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
        _helm(testbed, scene, slack.url)
        scene.apply(scene.admin_secret(), scene.connection())
        scene.ready("kafkaconnection", "default", "Connected", scene.home)
        yield stage
    finally:
        print(kubectl("logs", "deployment/fink", "-n", scene.home, "--tail=200", "--ignore-errors"))
        # The streams go while the operator is there to end their drivers; what is left then has nobody to wait for.
        kubectl("delete", "dstream", "--all", "-n", scene.namespace, "--timeout=120s")
        subprocess.run([str(testbed.helm), "uninstall", "fink", "-n", scene.home], env=testbed.exported(), check=False)
        release(scene)
        kubectl("delete", "persistentvolume", "-l", f"fink-e2e={scene.namespace}", "--wait=false")
        shutil.rmtree(stage.folder, ignore_errors=True)


def _helm(testbed: Environment, scene: Scene, slack_url: str) -> None:
    operator, tag = testbed.values["OPERATOR_IMAGE"].rsplit(":", 1)
    values = {
        "fullnameOverride": "fink",
        "image.repository": operator,
        "image.tag": tag,
        "job.image": testbed.values["JOB_IMAGE"],
        "slack.apiUrl": slack_url,
        "watchNamespaces[0]": scene.namespace,
        "crds.enabled": "false",
        "driftIntervalSeconds": "5",
    }
    words = [word for key, value in values.items() for word in ("--set", f"{key}={value}")]
    command = [str(testbed.helm), "install", "fink", str(CHART), "-n", scene.home, "--wait", "--timeout=120s", *words]
    subprocess.run(command, env=testbed.exported(), check=True, capture_output=True, text=True)
