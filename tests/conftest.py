"""Fixtures for all tests: the testbed that they run against, and what they need of it. See tests/testbed/fixtures.py."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # pytest itself has to be the first to import its plugins
    from testbed.fixtures import Kubectl

pytest_plugins = ["testbed.fixtures"]

CRDS = Path(__file__).parents[1] / "crds"


@pytest.fixture(scope="session")
def crds(kubectl: Kubectl) -> None:
    """Our kinds, known to the API server as crds/ has them now."""
    kubectl("apply", "--server-side", "--force-conflicts", "-f", str(CRDS))
    kubectl("wait", "--for=condition=Established", "--timeout=30s", "-f", str(CRDS))
