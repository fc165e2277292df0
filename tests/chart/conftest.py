"""The chart, rendered and judged by the real Helm."""

from __future__ import annotations

import re
import subprocess

import pytest
import yaml

from chart.rendered import CHART, RELEASE, Helm, Object, Render
from testbed.environment import Environment
from testbed.fixtures import Kubectl


@pytest.fixture(scope="session")
def helm(testbed: Environment) -> Helm:
    """Run Helm: `helm("lint", str(CHART))` returns what it prints, on a failure an AssertionError holds it."""

    def run(*args: str) -> str:
        words = [str(testbed.helm), *args]
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=testbed.exported())
        if done.returncode != 0:
            raise AssertionError(f"helm {args[0]} ended with code {done.returncode}: {done.stderr}{done.stdout}")
        return done.stdout

    return run


@pytest.fixture(scope="session")
def server_version(kubectl: Kubectl) -> str:
    """The API server's version, which `helm template` cannot ask for."""
    found = re.search(r"Server Version: (v\S+)", kubectl("version"))
    assert found
    return found[1]


@pytest.fixture(scope="session")
def render(helm: Helm, server_version: str) -> Render:
    """Render the chart: `render("--set", "log.format=json", namespace="fink")` returns the objects."""

    def rendered(*args: str, namespace: str = "fink") -> list[Object]:
        text = helm("template", RELEASE, str(CHART), "--namespace", namespace, "--kube-version", server_version, *args)
        return [each for each in yaml.safe_load_all(text) if each]

    return rendered


@pytest.fixture(scope="session")
def crds(kubectl: Kubectl) -> None:
    """Our kinds, known to the API server."""
    folder = str(CHART / "files" / "crds")
    kubectl("apply", "--server-side", "--force-conflicts", "-f", folder)
    kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", folder)
