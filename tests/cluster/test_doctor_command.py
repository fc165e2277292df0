"""`fink doctor` at a real API server: as its administrator, and as one who may do nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from fink_command import fink
from testbed.environment import Environment
from testbed.fixtures import Kubectl


@pytest.mark.usefixtures("crds")
def test_an_administrator_is_well_and_a_stranger_is_told_what_lacks(
    testbed: Environment, kubectl: Kubectl, namespace: str, tmp_path: Path
) -> None:
    look = ("doctor", "--only", "kubernetes", "-n", namespace, "-o", "json", "--kubeconfig")
    done = fink(*look, str(testbed.kubeconfig))
    found = {each["what"]: each for each in json.loads(done.out)}
    assert done.status == 0, done.out
    assert found["API server"]["found"].startswith("Kubernetes v1.")
    assert found["DistributionStream"]["found"] == "v1alpha1, as this version has it"
    stranger = yaml.safe_load(testbed.kubeconfig.read_text())
    token = kubectl("create", "token", "default", "-n", namespace).strip()
    stranger["users"] = [{"name": each["name"], "user": {"token": token}} for each in stranger["users"]]
    file = tmp_path / "kubeconfig"
    file.touch(mode=0o600)
    file.write_text(yaml.safe_dump(stranger))
    done = fink(*look, str(file))
    found = {each["what"]: each for each in json.loads(done.out)}
    assert done.status == 1
    assert found["KafkaUser"]["found"] == "v1alpha1; only administrators may read its schema"
    assert found["rights: alerttopics"]["found"] == f"in {namespace} you may not list, create, patch, delete"
    assert token not in done.out + done.err
