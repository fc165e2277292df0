"""What the chart installs beside the operator, and which values it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from chart.rendered import CHART, Render, of_kind, only, pod
from testbed.fixtures import Kubectl

DIGEST = "sha256:" + "0123456789abcdef" * 4


def test_the_network_policy_lets_out_dns_api_and_kafka_only(render: Render, tmp_path: Path) -> None:
    brokers = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kafka"}}}]
    file = tmp_path / "values.yaml"
    file.write_text(json.dumps({"networkPolicy": {"enabled": True, "brokerPorts": [19092], "brokers": brokers}}))
    objects = render("--values", str(file))
    policy = only(objects, "NetworkPolicy")["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    dns, api, kafka = policy["egress"]
    assert {(p["port"], p["protocol"]) for p in dns["ports"]} == {(53, "UDP"), (53, "TCP")}
    assert [p["port"] for p in api["ports"]] == [443, 6443]
    assert [p["port"] for p in kafka["ports"]] == [19092]
    assert kafka["to"] == brokers
    assert policy["podSelector"]["matchLabels"].items() <= pod(objects)["metadata"]["labels"].items()


def test_extra_objects_are_templates(render: Render, tmp_path: Path) -> None:
    as_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "{{ .Release.Name }}-map"}}
    as_text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Namespace }}-text"
    file = tmp_path / "values.yaml"
    file.write_text(json.dumps({"extraObjects": [as_map, as_text]}))
    names = [each["metadata"]["name"] for each in of_kind(render("--values", str(file)), "ConfigMap")]
    assert names == ["fink-distribution-map", "fink-text"]


def test_the_kinds_are_those_of_crds_untouched(render: Render, tmp_path: Path) -> None:
    for keep in (True, False):
        kinds = of_kind(render("--set", f"crds.keep={str(keep).lower()}"), "CustomResourceDefinition")
        for kind in kinds:
            file = CHART / "files" / "crds" / f"{kind['spec']['names']['plural']}.yaml"
            assert kind["spec"] == yaml.safe_load(file.read_text())["spec"]
            policy = kind["metadata"].get("annotations", {}).get("helm.sh/resource-policy")
            assert policy == ("keep" if keep else None)
        assert len(kinds) == 5
    assert of_kind(render("--set", "crds.enabled=false"), "CustomResourceDefinition") == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("watchNamespace={ztf}", r"additional properties 'watchNamespace' not allowed"),
        ("log.level=verbose", r"'/log/level': value must be one of 'DEBUG', 'INFO', 'WARNING', 'ERROR'"),
        ("log.format=xml", r"'/log/format': value must be one of 'text', 'json'"),
        ("image.digest=sha256:1234", r"'/image/digest': 'sha256:1234' does not match pattern"),
        ("image.pullPolicy=Sometimes", r"'/image/pullPolicy': value must be one of 'Always', 'IfNotPresent', 'Never'"),
        ("driftIntervalSeconds=0", r"'/driftIntervalSeconds': minimum: got 0, want 1"),
        ("driftIntervalSeconds=often", r"'/driftIntervalSeconds': got string, want integer"),
        ("watchNamespaces={Ztf}", r"'/watchNamespaces/0': 'Ztf' does not match pattern"),
        ("watchNamespaces=ztf", r"'/watchNamespaces': got string, want array"),
        ("networkPolicy.brokerPorts={90920}", r"'/networkPolicy/brokerPorts/0': maximum: got 90,920, want 65,535"),
        ("metrics.monitor=Both", r"'/metrics/monitor': value must be one of '', 'ServiceMonitor', 'PodMonitor'"),
        ("lease.seconds=5", r"'/lease': additional properties 'seconds' not allowed"),
        ("resources.limit.memory=1Gi", r"'/resources': additional properties 'limit' not allowed"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed(render: Render, value: str, message: str) -> None:
    with pytest.raises(AssertionError, match="values don't meet the specifications of the schema") as refusal:
        render("--set", value)
    assert message.replace("\\", "") in str(refusal.value)


def test_a_foreign_account_has_to_be_named(render: Render) -> None:
    with pytest.raises(AssertionError, match=r"serviceAccount\.name must name a ServiceAccount that exists"):
        render("--set", "serviceAccount.create=false")
    objects = render("--set", "serviceAccount.create=false,serviceAccount.name=mine")
    assert of_kind(objects, "ServiceAccount") == []
    assert pod(objects)["spec"]["serviceAccountName"] == "mine"
    assert only(objects, "ClusterRoleBinding")["subjects"][0]["name"] == "mine"


@pytest.mark.parametrize(
    "values",
    [
        "log.format=json",
        "watchNamespaces={default}",
        f"image.digest={DIGEST}",
        "crds.enabled=false,networkPolicy.enabled=true",
        "replicas=2,metrics.service=true",
    ],
    ids=["default", "watched-namespaces", "digest", "without-kinds", "two-operators"],
)
def test_the_api_server_accepts_what_is_rendered(kubectl: Kubectl, render: Render, namespace: str, values: str) -> None:
    objects = render("--set", values, namespace=namespace)
    text = yaml.safe_dump_all(objects)
    printed = kubectl(
        "apply", "--server-side", "--force-conflicts", "--validate=strict", "--dry-run=server", "-f", "-", stdin=text
    )
    assert printed.count("serverside-applied (server dry run)") == len(objects)
