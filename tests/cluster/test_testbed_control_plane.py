"""The testbed's control plane answers and does what the tests rely on."""

from __future__ import annotations

from collections.abc import Callable

from testbed.fixtures import Kubectl


def test_the_api_server_is_ready(kubectl: Kubectl) -> None:
    assert kubectl("get", "--raw", "/readyz") == "ok"


def test_the_controllers_work(kubectl: Kubectl, namespace: str, eventually: Callable[..., object]) -> None:
    kubectl("create", "deployment", "web", "-n", namespace, "--image=none")

    def pods() -> str:
        return kubectl("get", "pods", "-n", namespace, "-l", "app=web", "-o", "name")

    eventually(pods, what="the Deployment has a pod")
