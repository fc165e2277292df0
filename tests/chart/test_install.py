"""Installing, upgrading and uninstalling the chart with the real Helm on the real API server."""

from __future__ import annotations

import secrets

import pytest
import yaml

from chart.rendered import CHART, Helm
from testbed.fixtures import Kubectl


@pytest.mark.usefixtures("crds")
def test_install_tells_what_to_do_next_and_uninstall_leaves_nothing_but_the_kinds(
    kubectl: Kubectl, helm: Helm, namespace: str
) -> None:
    release = f"fink-{secrets.token_hex(4)}"
    values = (
        "--set",
        f"crds.enabled=false,rbac.aggregate=false,fullnameOverride={release},watchNamespaces={{default}}",
    )
    printed = helm("install", release, str(CHART), "-n", namespace, *values)
    assert f"kubectl -n {namespace} rollout status deployment/{release}" in printed
    assert "kind: KafkaConnection" in printed
    assert "kubectl apply --server-side -f crds/" in printed
    try:
        assert "REVISION: 2" in helm(
            "upgrade", release, str(CHART), "-n", namespace, *values, "--set", "log.format=json"
        )
        shown = kubectl("get", "deployment", release, "-n", namespace, "-o", "yaml")
        variables = yaml.safe_load(shown)["spec"]["template"]["spec"]["containers"][0]["env"]
        assert {"name": "FINK_LOG_FORMAT", "value": "json"} in variables
    finally:
        helm("uninstall", release, "-n", namespace, "--wait")
    left = kubectl("get", "deploy,role,rolebinding,sa", "-n", namespace, "-o", "name", "--ignore-not-found")
    assert release not in left
    assert release not in kubectl("get", "role,rolebinding", "-n", "default", "-o", "name")


@pytest.mark.usefixtures("crds")
def test_uninstall_leaves_the_kinds_and_what_is_declared(kubectl: Kubectl, helm: Helm, namespace: str) -> None:
    release = f"fink-{secrets.token_hex(4)}"
    values = ("--set", f"rbac.aggregate=false,fullnameOverride={release},watchNamespaces={{{namespace}}}")
    # The kinds are there already, for the other tests; what a first install makes is taken over here.
    helm("install", release, str(CHART), "-n", namespace, "--take-ownership", *values)
    topic = "apiVersion: distribution.fink-broker.org/v1alpha1\nkind: AlertTopic\nmetadata: {name: kept}\nspec: {}"
    kubectl("apply", "-n", namespace, "-f", "-", stdin=topic)
    kind = "crd/alerttopics.distribution.fink-broker.org"
    owner = "jsonpath={.metadata.annotations.meta\\.helm\\.sh/release-name}"
    assert kubectl("get", kind, "-o", owner) == release
    helm("uninstall", release, "-n", namespace, "--wait")
    assert "kept" in kubectl("get", "alerttopics.distribution.fink-broker.org", "-n", namespace)
    assert "deletionTimestamp" not in kubectl("get", kind, "-o", "yaml")
