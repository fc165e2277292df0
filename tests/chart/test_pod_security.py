"""The operator's pod under the restricted Pod Security Standard, as the API server enforces it."""

from __future__ import annotations

import copy
import json

import pytest

from chart.rendered import Object, Render, container, pod
from testbed.fixtures import Kubectl


@pytest.fixture
def restricted(kubectl: Kubectl, namespace: str) -> str:
    """A namespace that takes restricted pods only."""
    kubectl("label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
    kubectl("create", "serviceaccount", "fink-distribution", "-n", namespace)
    return namespace


def as_pod(template: Object) -> str:
    metadata = {**template["metadata"], "name": "operator"}
    return json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": template["spec"]})


def test_the_pod_is_taken_where_only_restricted_pods_are(kubectl: Kubectl, render: Render, restricted: str) -> None:
    template = pod(render(namespace=restricted))
    assert "dry run" in kubectl("create", "--dry-run=server", "-n", restricted, "-f", "-", stdin=as_pod(template))
    loose = copy.deepcopy(template)
    del loose["spec"]["containers"][0]["securityContext"]["capabilities"]
    with pytest.raises(AssertionError, match='violates PodSecurity "restricted:latest": unrestricted capabilities'):
        kubectl("create", "--dry-run=server", "-n", restricted, "-f", "-", stdin=as_pod(loose))


def test_beyond_the_standard_it_writes_to_tmp_only_and_runs_as_a_number(render: Render) -> None:
    objects = render()
    spec = pod(objects)["spec"]
    assert container(objects)["securityContext"]["readOnlyRootFilesystem"] is True
    assert spec["securityContext"]["runAsUser"] == 65532
    assert spec["volumes"] == [{"name": "tmp", "emptyDir": {}}]
    assert container(objects)["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]  # noqa: S108 - in the pod
    assert container(objects)["resources"] == {
        "requests": {"cpu": "50m", "memory": "128Mi"},
        "limits": {"memory": "256Mi"},
    }
