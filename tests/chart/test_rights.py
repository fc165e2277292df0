"""What the chart lets the operator and people do, as the API server judges it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator

import pytest
import yaml

from chart.rendered import Object, Render, of_kind, only
from chart.streams import accepted_stream
from fink_distribution.streams.objects import workload
from testbed.fixtures import Kubectl

pytestmark = pytest.mark.usefixtures("crds")

RBAC = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "ServiceAccount")
GROUP = "distribution.fink-broker.org"


@pytest.fixture
def granted(kubectl: Kubectl, render: Render) -> Iterator[Callable[..., str]]:
    """Put the chart's rights into the cluster, under a name of their own: returns the operator's user name."""
    made: list[str] = []

    def grant(*args: str, namespace: str) -> str:
        name = f"fink-{secrets.token_hex(4)}"
        objects = of_kind(render("--set", f"fullnameOverride={name}", *args, namespace=namespace), *RBAC)
        made.append(yaml.safe_dump_all(objects))
        kubectl("apply", "-f", "-", stdin=made[-1])
        return f"system:serviceaccount:{namespace}:{name}"

    yield grant
    for text in made:
        kubectl("delete", "--ignore-not-found", "--wait=false", "-f", "-", stdin=text)


def may(kubectl: Kubectl, user: str, verb: str, resource: str, namespace: str, name: str = "") -> bool:
    """Ask the API server, as `kubectl auth can-i` does; a resource is plural.group/subresource."""
    whole, _, subresource = resource.partition("/")
    plural, _, group = whole.partition(".")
    attributes = {"verb": verb, "resource": plural, "group": group, "subresource": subresource}
    attributes |= {"namespace": namespace, "name": name}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "resourceAttributes": attributes},
    }
    answer = json.loads(kubectl("create", "-o", "json", "-f", "-", stdin=json.dumps(review)))
    return bool(answer["status"]["allowed"])


def test_no_rule_has_a_wildcard_or_a_way_to_more_rights(render: Render) -> None:
    for values in ("rbac.create=true", "watchNamespaces={ztf}"):
        roles = of_kind(render("--set", values), "ClusterRole", "Role")
        assert roles
        for rule in [rule for role in roles for rule in role["rules"]]:
            assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]]
            assert not {"escalate", "bind", "impersonate"} & set(rule["verbs"])
            assert not {"pods/exec", "pods/attach", "nodes", "namespaces", "customresourcedefinitions"} & set(
                rule["resources"]
            )
            if "secrets" in rule["resources"]:
                assert not {"list", "watch", "deletecollection"} & set(rule["verbs"])


def test_with_watched_namespaces_it_has_rights_there_only(
    kubectl: Kubectl, granted: Callable[..., str], namespace: str
) -> None:
    operator = granted("--set", "watchNamespaces={default},rbac.aggregate=false", namespace=namespace)
    for place in (namespace, "default"):
        assert may(kubectl, operator, "get", "secrets", place)
        assert may(kubectl, operator, "patch", f"alerttopics.{GROUP}/status", place)
    assert not may(kubectl, operator, "get", "secrets", "kube-system")
    assert not may(kubectl, operator, "list", f"alerttopics.{GROUP}", "kube-system")


def test_with_watched_namespaces_nothing_is_cluster_wide(render: Render) -> None:
    objects = render("--set", "watchNamespaces={ztf,lsst,fink},rbac.aggregate=false")
    assert of_kind(objects, "ClusterRole", "ClusterRoleBinding") == []
    for kind in ("Role", "RoleBinding"):
        places = [(each["metadata"]["namespace"], each["metadata"]["name"]) for each in of_kind(objects, kind)]
        name = "fink-distribution"
        assert places == [("fink", name), ("lsst", name), ("ztf", name), ("fink", f"{name}-lease")]


def test_the_operator_may_write_its_own_lease_only(
    kubectl: Kubectl, granted: Callable[..., str], namespace: str
) -> None:
    operator = granted(namespace=namespace)
    leases = "leases.coordination.k8s.io"
    assert may(kubectl, operator, "create", leases, namespace)
    for verb in ("get", "update"):
        assert may(kubectl, operator, verb, leases, namespace, name="fink-distribution")
        assert not may(kubectl, operator, verb, leases, namespace, name="another")
        assert not may(kubectl, operator, verb, leases, "default", name="fink-distribution")


def test_the_operator_may_do_its_work_and_no_more(
    kubectl: Kubectl, granted: Callable[..., str], namespace: str
) -> None:
    operator = granted(namespace=namespace)
    kinds = ("kafkaconnections", "alerttopics", "kafkausers", "kafkaacls", "distributionstreams")
    for kind in kinds:
        for verb in ("get", "list", "watch", "patch", "update"):
            assert may(kubectl, operator, verb, f"{kind}.{GROUP}", "default"), f"{verb} {kind}"
        assert may(kubectl, operator, "patch", f"{kind}.{GROUP}/status", "default")
        assert may(kubectl, operator, "update", f"{kind}.{GROUP}/finalizers", "default")
    for verb in ("create", "delete"):
        allowed = {kind for kind in kinds if may(kubectl, operator, verb, f"{kind}.{GROUP}", "default")}
        assert allowed == {"kafkausers", "kafkaacls"}, verb
    work = {"statefulsets.apps": "watch", "pods": "delete", "events.events.k8s.io": "create", "secrets": "create"}
    for resource, verb in {**work, "roles.rbac.authorization.k8s.io": "create", "configmaps": "patch"}.items():
        assert may(kubectl, operator, verb, resource, "default"), f"{verb} {resource}"
    never = [("list", "secrets"), ("watch", "secrets"), ("create", "pods/exec"), ("list", "namespaces")]
    never += [("update", "deployments.apps"), ("create", "clusterroles.rbac.authorization.k8s.io"), ("get", "nodes")]
    for verb in ("get", "list", "watch", "create", "patch", "delete"):
        assert may(kubectl, operator, verb, "deployments.apps", "default"), f"{verb} deployments"
    for verb, resource in never:
        assert not may(kubectl, operator, verb, resource, "default"), f"{verb} {resource}"


def driver_role(namespace: str) -> Object:
    """The Role that the operator writes for a stream's driver."""
    return only(workload(*accepted_stream("distributionstream-smallest", namespace)), "Role")


def test_the_operator_may_hand_a_driver_its_rights_but_not_more(
    kubectl: Kubectl, granted: Callable[..., str], namespace: str
) -> None:
    operator = granted("--set", "watchNamespaces={default}", namespace=namespace)
    role = driver_role(namespace)
    create = ("create", "--dry-run=server", "-n", namespace, "-f", "-", f"--as={operator}")
    assert "dry run" in kubectl(*create, stdin=yaml.safe_dump(role))
    role["rules"].append({"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]})
    with pytest.raises(AssertionError, match="attempting to grant RBAC permissions not currently held"):
        kubectl(*create, stdin=yaml.safe_dump(role))


def test_people_see_all_kinds_and_edit_topics_and_streams_but_not_access(render: Render) -> None:
    def aggregated(to: str) -> dict[str, set[str]]:
        label = f"rbac.authorization.k8s.io/aggregate-to-{to}"
        rights: dict[str, set[str]] = {}
        for role in of_kind(render(), "ClusterRole"):
            if role["metadata"]["labels"].get(label) == "true":
                for rule in role["rules"]:
                    for resource in rule["resources"]:
                        rights.setdefault(resource, set()).update(rule["verbs"])
        return rights

    every = {"kafkaconnections", "alerttopics", "kafkausers", "kafkaacls", "distributionstreams"}
    assert aggregated("view") == {kind: {"get", "list", "watch"} for kind in every}
    for role in ("edit", "admin"):
        assert {kind for kind, verbs in aggregated(role).items() if "create" in verbs} == {
            "alerttopics",
            "distributionstreams",
        }
        assert set(aggregated(role)) == every
    assert not [
        each for each in of_kind(render("--set", "rbac.aggregate=false"), "ClusterRole") if "aggregate" in str(each)
    ]
