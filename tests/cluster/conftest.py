"""Fixtures for the tests that need an API server."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.fixtures import Kubectl

CRDS = Path(__file__).parents[2] / "crds"


@pytest.fixture(scope="session")
def crds(kubectl: Kubectl) -> None:
    """Our kinds, known to the API server as crds/ has them now."""
    kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRDS))
    kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", str(CRDS))
