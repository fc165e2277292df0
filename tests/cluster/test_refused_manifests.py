"""What can be known without Kafka is refused by the API server, with a message that says what is allowed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from testbed.fixtures import Kubectl

pytestmark = pytest.mark.usefixtures("crds")

CRDS = Path(__file__).parents[2] / "crds"
REFUSALS = sorted((Path(__file__).parent / "refusals").glob("*.yaml"))


def expected_message(text: str) -> str:
    """What the first line says that the refusal must hold."""
    found = re.match(r"# refused: (?P<message>\S.*)\n", text)
    assert found, 'the file must begin with "# refused: " and a part of the message that the user is to see'
    return found["message"]


def dry_run_refusal(kubectl: Kubectl, manifest: str, namespace: str) -> str:
    """What a user sees when `kubectl apply --dry-run=server` refuses the manifest."""
    with pytest.raises(AssertionError) as refusal:
        kubectl("apply", "--dry-run=server", "-n", namespace, "-f", "-", stdin=manifest)
    return str(refusal.value)


@pytest.mark.parametrize("file", [f for f in REFUSALS if "\n---\n" not in f.read_text()], ids=lambda file: file.stem)
def test_a_manifest_is_refused_with_what_is_allowed(kubectl: Kubectl, file: Path) -> None:
    text = file.read_text()
    message = dry_run_refusal(kubectl, text, "default")
    assert "is invalid" in message
    assert expected_message(text) in message


@pytest.mark.parametrize("file", [f for f in REFUSALS if "\n---\n" in f.read_text()], ids=lambda file: file.stem)
def test_a_change_is_refused_with_what_is_allowed(kubectl: Kubectl, namespace: str, file: Path) -> None:
    text = file.read_text()
    before, after = text.split("\n---\n")
    kubectl("apply", "-n", namespace, "-f", "-", stdin=before)
    message = dry_run_refusal(kubectl, after, namespace)
    assert "is invalid" in message
    assert expected_message(text) in message


def test_every_kind_has_refusals() -> None:
    kinds = {file.stem.partition("-")[0] for file in REFUSALS}
    assert kinds == {"alerttopic", "distributionstream", "kafkaacl", "kafkaconnection", "kafkauser"}


def rules(schema: dict[str, Any]) -> Iterator[dict[str, str]]:
    """All rules of a schema, at any depth."""
    yield from schema.get("x-kubernetes-validations", [])
    one = [schema[name] for name in ("items", "additionalProperties") if name in schema]
    for below in [*schema.get("properties", {}).values(), *one]:
        yield from rules(below)


@pytest.mark.parametrize("file", sorted(CRDS.glob("*.yaml")), ids=lambda file: file.stem)
def test_every_rule_of_a_kind_has_a_refusal(file: Path) -> None:
    """What the rules with the live topic's numbers refuse is tested below: it needs a status."""
    crd = yaml.safe_load(file.read_text())
    kind = crd["spec"]["names"]["singular"]
    expected = [expected_message(each.read_text()) for each in REFUSALS if each.stem.startswith(f"{kind}-")]

    def said(rule: dict[str, str]) -> str:
        return rule.get("messageExpression", rule["message"]).replace("%d", "4")

    def numberless(text: str) -> str:
        return re.sub(r"\b\d+\b", "4", text)

    (version,) = crd["spec"]["versions"]
    found = [rule for rule in rules(version["schema"]["openAPIV3Schema"]) if "self.status" not in rule["rule"]]
    missing = [rule for rule in found if not any(numberless(each) in numberless(said(rule)) for each in expected)]
    assert missing == []


TOPIC = "apiVersion: distribution.fink-broker.org/v1alpha1\nkind: AlertTopic\nmetadata: {name: supernovae}\n"


def test_fewer_partitions_than_the_live_topic_has_are_refused(kubectl: Kubectl, namespace: str) -> None:
    kubectl("apply", "-n", namespace, "-f", "-", stdin=f"{TOPIC}spec: {{}}")
    patch = '{"status": {"partitions": 8}}'
    kubectl("patch", "-n", namespace, "atopic/supernovae", "--subresource=status", "--type=merge", "-p", patch)
    refusal = dry_run_refusal(kubectl, f"{TOPIC}spec: {{partitions: 4}}", namespace)
    assert "partitions: 4 is fewer than the topic has, 8" in refusal
    right = f"{TOPIC}spec: {{partitions: 8}}"
    assert "dry run" in kubectl("apply", "--dry-run=server", "-n", namespace, "-f", "-", stdin=right)


@pytest.mark.parametrize("kind", ["AlertTopic", "DistributionStream", "KafkaAcl", "KafkaConnection", "KafkaUser"])
def test_an_unknown_field_is_refused(kubectl: Kubectl, kind: str) -> None:
    smallest = (Path(__file__).parent / "accepted" / f"{kind.lower()}-smallest.yaml").read_text()
    misspelt = re.sub(r"^spec:.*$", "spec:\n  conectionRef: {name: other}", smallest, count=1, flags=re.MULTILINE)
    with pytest.raises(AssertionError, match=r'strict decoding error: unknown field "spec\.conectionRef"'):
        kubectl("apply", "--validate=strict", "--dry-run=server", "-n", "default", "-f", "-", stdin=misspelt)
