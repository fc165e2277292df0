"""Fixtures for the tests of the operator: a real API server, a real broker, the operator as a process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cluster.operator.scene import MakeScene, Scene, environment_of
from testbed.environment import Environment, properties
from testbed.fixtures import Kubectl


@pytest.fixture
def make_scene(kubectl: Kubectl, crds: None, testbed: Environment, tmp_path: Path) -> Iterator[MakeScene]:
    """Make scenes: `make_scene(drift_seconds=1, kafka=broker.client_config())`; without kafka, the testbed's own broker. With
    `beside`, it is a second operator for another scene's namespaces."""
    made: list[Scene] = []
    owned: list[Scene] = []

    def make(*, kafka: Mapping[str, str] | None = None, beside: Scene | None = None, **settings: Any) -> Scene:
        admin = kafka or properties(testbed.kafka_admin_config)
        log = tmp_path / f"operator-{len(made)}.log"
        if beside is not None:
            settings["namespace"] = beside.namespace
        scene = Scene(kubectl, environment_of(testbed.kubeconfig), admin, log, **settings)
        made.append(scene)
        if beside is not None:
            return scene
        owned.append(scene)
        kubectl("create", "namespace", scene.home)
        kubectl("create", "namespace", scene.namespace)
        return scene

    yield make
    for scene in made:
        scene.kill()
    for scene in made:
        if scene.log.exists():
            print(scene.log.read_text())
            assert "Traceback" not in scene.log.read_text(), (
                "the operator met an error that it does not know; see its log above"
            )
    for scene in owned:
        release(scene)


@pytest.fixture
def scene(make_scene: MakeScene) -> Scene:
    """A scene whose operator runs and whose connection is there."""
    scene = make_scene()
    scene.start()
    scene.apply(scene.admin_secret(), scene.connection())
    scene.ready("kafkaconnection", "default", "Connected", scene.home)
    return scene


def release(scene: Scene) -> None:
    """Take the finalizers off what is left, so that the namespaces can go without an operator."""
    for namespace in (scene.namespace, scene.home):
        for name in scene.kubectl("get", "fink", "-n", namespace, "-o", "name").split():
            scene.kubectl("patch", name, "-n", namespace, "--type=merge", "-p", '{"metadata":{"finalizers":null}}')
        scene.kubectl("delete", "namespace", namespace, "--wait=false")
