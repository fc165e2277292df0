"""What is right is accepted: the examples, the smallest and the fullest manifest of each kind, and the changes that are allowed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed.fixtures import Kubectl

pytestmark = pytest.mark.usefixtures("crds")

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
ACCEPTED = sorted((HERE / "accepted").glob("*.yaml"))
KINDS = ["AlertTopic", "DistributionStream", "KafkaAcl", "KafkaConnection", "KafkaUser"]
API_VERSION = "distribution.fink-broker.org/v1alpha1"


def manifests(folder: Path) -> list[Path]:
    """All YAML files below a folder that hold Kubernetes objects, but no overlay of kustomize and no Helm values."""
    found = [file for ending in ("yaml", "yml") for file in folder.rglob(f"*.{ending}")]
    return sorted(file for file in found if "apiVersion:" in file.read_text() and file.stem != "kustomization")


@pytest.mark.parametrize("file", manifests(EXAMPLES), ids=lambda file: str(file.relative_to(EXAMPLES)))
def test_an_example_is_accepted(kubectl: Kubectl, namespace: str, file: Path) -> None:
    # Without it, pods are refused.
    kubectl("wait", "--for=create", "serviceaccount/default", "-n", namespace, "--timeout=30s")
    objects = [each for each in yaml.safe_load_all(file.read_text()) if each]
    for each in objects:
        # An example may create the namespace that it is in; a dry run does not, so it is tried in a fresh one.
        each["metadata"].pop("namespace", None)
        printed = kubectl(
            "apply", "--validate=strict", "--dry-run=server", "-n", namespace, "-f", "-", stdin=yaml.safe_dump(each)
        )
        assert "(server dry run)" in printed


@pytest.mark.parametrize("file", [f for f in ACCEPTED if "\n---\n" not in f.read_text()], ids=lambda file: file.stem)
def test_a_right_manifest_is_accepted_as_written(kubectl: Kubectl, file: Path) -> None:
    written = yaml.safe_load(file.read_text())
    answer = kubectl(
        "apply",
        "--validate=strict",
        "--dry-run=server",
        "-n",
        "default",
        "-o",
        "json",
        "-f",
        "-",
        stdin=file.read_text(),
    )
    assert holds(json.loads(answer)["spec"], written["spec"])


@pytest.mark.parametrize("file", [f for f in ACCEPTED if "\n---\n" in f.read_text()], ids=lambda file: file.stem)
def test_an_allowed_change_is_accepted(kubectl: Kubectl, namespace: str, file: Path) -> None:
    before, after = file.read_text().split("\n---\n")
    kubectl("apply", "-n", namespace, "-f", "-", stdin=before)
    assert "configured (server dry run)" in kubectl(
        "apply", "--dry-run=server", "-n", namespace, "-f", "-", stdin=after
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_resource_says_that_nobody_has_seen_it(kubectl: Kubectl, namespace: str, kind: str) -> None:
    """With the operator down, kstatus must not take it for done: observedGeneration is not the generation."""
    smallest = (HERE / "accepted" / f"{kind.lower()}-smallest.yaml").read_text()
    made = json.loads(kubectl("create", "-n", namespace, "-o", "json", "-f", "-", stdin=smallest))
    assert made["kind"] == kind
    assert made["status"] == {"observedGeneration": -1}
    assert made["metadata"]["generation"] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_kubectl_explain_describes_every_field(kubectl: Kubectl, kind: str) -> None:
    api = json.loads(kubectl("get", "--raw", f"/openapi/v3/apis/{API_VERSION}"))
    (schema,) = (
        schema
        for schema in api["components"]["schemas"].values()
        if any(each["kind"] == kind for each in schema.get("x-kubernetes-group-version-kind", []))
    )
    assert undescribed(schema, kind) == []
    assert schema["description"] in " ".join(kubectl("explain", kind, f"--api-version={API_VERSION}").split())


@pytest.mark.parametrize("kind", KINDS)
def test_get_shows_ready_reason_and_age(kubectl: Kubectl, namespace: str, kind: str) -> None:
    smallest = (HERE / "accepted" / f"{kind.lower()}-smallest.yaml").read_text()
    kubectl("create", "-n", namespace, "-f", "-", stdin=smallest)
    header = kubectl("get", "-n", namespace, "fink").splitlines()[0].split()
    assert header[:3] == ["NAME", "READY", "REASON"]
    assert header[-1] == "AGE"


def undescribed(schema: dict[str, Any], path: str) -> list[str]:
    """The fields of a schema that have no description."""
    found = []
    for name, field in schema.get("properties", {}).items():
        if not field.get("description"):
            found.append(f"{path}.{name}")
        if name != "metadata":
            found += undescribed(field, f"{path}.{name}")
    if "items" in schema:
        found += undescribed(schema["items"], f"{path}[]")
    return found


def holds(whole: Any, part: Any) -> bool:
    """Say whether all that `part` has stands in `whole` with the same values."""
    if isinstance(part, dict):
        return isinstance(whole, dict) and all(key in whole and holds(whole[key], part[key]) for key in part)
    if isinstance(part, list):
        return len(whole) == len(part) and all(holds(w, p) for w, p in zip(whole, part, strict=True))
    return bool(whole == part)
