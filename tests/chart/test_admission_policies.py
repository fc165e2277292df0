"""What the policies of a KafkaConnection forbid is refused by the API server, in the operator's words."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from chart.rendered import Object, Render, of_kind
from testbed.fixtures import Kubectl, wait_for

pytestmark = pytest.mark.usefixtures("crds")

VERSION = "distribution.fink-broker.org/v1alpha1"
POLICY = {
    "topicPrefixes": ["{namespace}_", "shared."],
    "userPrefixes": ["{namespace}."],
    "groupPrefixes": ["{namespace}."],
    "transactionalIdPrefixes": ["{namespace}."],
    "limits": {"partitionsPerTopic": 4},
}
OPEN = {"rawPrincipals": True, "denyRules": True, "clusterOperations": True}


def connection(home: str, name: str, policies: list[dict[str, Any]]) -> Object:
    """A KafkaConnection that nobody uses: the policies alone matter."""
    spec = {
        "bootstrapServers": ["kafka:9092"],
        "sasl": {"credentialsSecretRef": {"name": "admin"}},
        "policies": policies,
    }
    return {
        "apiVersion": VERSION,
        "kind": "KafkaConnection",
        "metadata": {"name": name, "namespace": home},
        "spec": spec,
    }


class Tenants:
    """Namespaces of tenants beside the operator's, whose connections and admission policies are in the cluster."""

    def __init__(self, kubectl: Kubectl, home: str, operator: str) -> None:
        self.kubectl, self.home, self.operator = kubectl, home, operator
        self.mine, self.other, self.none = (f"{home}-{name}" for name in ("a", "b", "c"))
        self.names = {"MINE": self.mine, "OTHER": self.other}

    def tried(self, kind: str, spec: dict[str, Any], *args: str, namespace: str | None = None, name: str = "x") -> str:
        """Return what `kubectl apply --dry-run=server` says."""
        text = json.dumps({"apiVersion": VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec})
        for word, value in self.names.items():
            text = text.replace(word, value)
        try:
            return self.kubectl("apply", "--dry-run=server", "-n", namespace or self.mine, "-f", "-", *args, stdin=text)
        except AssertionError as refusal:
            return str(refusal)


@pytest.fixture(scope="module")
def tenants(kubectl: Kubectl, render: Render) -> Iterator[Tenants]:
    home = f"policies-{secrets.token_hex(3)}"
    watched = ",".join(f"{home}-{name}" for name in "abc")
    values = f"fullnameOverride={home},admissionPolicy.singleConnection=true,watchNamespaces={{{watched}}}"
    objects = render("--set", values, namespace=home)
    made = of_kind(objects, "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
    there = Tenants(kubectl, home, f"system:serviceaccount:{home}:{home}")
    for namespace in (home, there.mine, there.other, there.none):
        kubectl("create", "namespace", namespace)
    policies = [
        {"name": "closed", "namespaces": [there.mine], **POLICY},
        {"name": "open", "namespaces": [there.other], **POLICY, "allow": OPEN},
    ]
    kubectl("apply", "-f", "-", stdin=json.dumps(connection(home, "default", policies)))
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(made))
    # Policies take effect a moment after they are written.
    for kind, spec in ACCEPTED.items():
        wait_for(
            lambda k=kind, s=spec: "no policy" in there.tried(k, s, namespace=there.none), what=f"{kind} is judged"
        )
    yield there
    kubectl("delete", "--wait=false", "-f", "-", stdin=yaml.safe_dump_all(made))
    for namespace in (home, there.mine, there.other, there.none):
        kubectl("delete", "namespace", namespace, "--wait=false")


PRINCIPAL = {"principal": "User:x", "connectionRef": {"name": "default"}}
USER = {"userRef": {"name": "reader"}}
STREAM = {
    "source": {"parquet": {"claimName": "a"}},
    "checkpoint": {"claimName": "b"},
    "outputs": [{"name": "o", "topicRef": {"name": "t"}}],
}
ACCEPTED: dict[str, dict[str, Any]] = {
    "AlertTopic": {"topicName": "MINE_sn", "partitions": 4},
    "KafkaUser": {"userName": "MINE.reader"},
    "KafkaAcl": {
        **USER,
        "consumer": {"topics": [{"topicRef": {"name": "t"}}, {"name": "shared.t"}], "group": {"name": "MINE.g"}},
        "producer": {"topics": [{"name": "MINE_", "patternType": "Prefixed"}], "transactionalId": {"name": "MINE.i"}},
    },
    "DistributionStream": STREAM,
}


@pytest.mark.parametrize("kind", ACCEPTED)
def test_what_is_allowed_is_accepted(tenants: Tenants, kind: str) -> None:
    assert "created (server dry run)" in tenants.tried(kind, ACCEPTED[kind])
    assert "so nothing may be done there" in tenants.tried(kind, ACCEPTED[kind], namespace=tenants.none)


def rules(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"rules": [{"name": "r", "resource": each, "operations": ["Describe"], **more} for each in resources]}


@pytest.mark.parametrize(
    ("kind", "spec", "message"),
    [
        (
            "AlertTopic",
            {"topicName": "OTHER_sn", "partitions": 1},
            "topic OTHER_sn does not start with what policy closed of",
        ),
        (
            "AlertTopic",
            {"partitions": 1},
            "topic x does not start with what policy closed of KafkaConnection default allows",
        ),
        (
            "AlertTopic",
            {"topicName": "MINE_sn", "partitions": 5},
            "is more than policy closed of KafkaConnection default allows; set 4",
        ),
        (
            "AlertTopic",
            {"topicName": "MINE_sn"},
            "partitions has to be given, because policy closed of KafkaConnection default",
        ),
        (
            "KafkaUser",
            {},
            "user x does not start with what policy closed of KafkaConnection default allows namespace MINE: MINE.",
        ),
        ("KafkaUser", {"userName": "MINE-too.x"}, "user MINE-too.x does not start with"),
        (
            "KafkaAcl",
            {**PRINCIPAL, **rules({"type": "Group", "name": "MINE.g"})},
            "does not allow raw principals; name a KafkaUser",
        ),
        (
            "KafkaAcl",
            {**USER, **rules({"type": "Group", "name": "MINE.g"}, permission="Deny")},
            "does not allow permission Deny",
        ),
        (
            "KafkaAcl",
            {**USER, **rules({"type": "Cluster"})},
            "does not allow rules about the Cluster, delegation tokens and users",
        ),
        ("KafkaAcl", {**USER, **rules({"type": "Topic", "name": "*"})}, "topic * does not start with"),
        (
            "KafkaAcl",
            {**USER, **rules({"type": "Topic", "name": "share", "patternType": "Prefixed"})},
            "topic share does not start with",
        ),
        (
            "KafkaAcl",
            {**USER, "producer": {"topics": [{"name": "a"}, {"name": "b"}]}},
            "topic a, b does not start with",
        ),
        ("KafkaAcl", {**USER, **rules({"type": "Group", "name": "g"})}, "group g does not start with"),
        (
            "KafkaAcl",
            {**USER, "consumer": {"topics": [{"topicRef": {"name": "t"}}], "group": {"name": "g"}}},
            "group g does not start with",
        ),
        (
            "KafkaAcl",
            {**USER, "producer": {"topics": [{"topicRef": {"name": "t"}}], "transactionalId": {"name": "i"}}},
            "transactional id i does not start with what policy closed of KafkaConnection default allows namespace MINE: MINE.",
        ),
    ],
)
def test_what_is_forbidden_is_refused(tenants: Tenants, kind: str, spec: dict[str, Any], message: str) -> None:
    said = tenants.tried(kind, spec)
    assert "is forbidden: ValidatingAdmissionPolicy" in said
    assert message.replace("MINE", tenants.mine).replace("OTHER", tenants.other) in said


def test_namespaces_that_the_operator_does_not_watch_are_left_to_others(tenants: Tenants, namespace: str) -> None:
    assert "created" in tenants.tried("AlertTopic", {}, namespace=namespace)


def test_flags_of_a_policy_open_what_it_names(tenants: Tenants) -> None:
    whole = rules({"type": "Cluster"}, permission="Deny")
    assert "created" in tenants.tried("KafkaAcl", {**PRINCIPAL, **whole}, namespace=tenants.other)


def test_other_connections_have_other_policies(tenants: Tenants) -> None:
    """There is no such connection: then it is for the operator to say so."""
    spec = {**PRINCIPAL, "connectionRef": {"name": "elsewhere"}, **rules({"type": "Cluster"})}
    assert "created" in tenants.tried("KafkaAcl", spec)
    assert "created" in tenants.tried("AlertTopic", {"connectionRef": {"name": "elsewhere"}})


def test_what_the_operator_makes_for_a_stream_passes(tenants: Tenants) -> None:
    kubectl, text = (
        tenants.kubectl,
        {"apiVersion": VERSION, "kind": "KafkaUser", "metadata": {"name": "sn-stream"}, "spec": {}},
    )
    role = json.dumps(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "operator"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "User", "name": tenants.operator}],
        }
    )
    kubectl("apply", "-n", tenants.mine, "-f", "-", stdin=role)
    as_operator = ("create", "--dry-run=server", "-n", tenants.mine, "-f", "-", f"--as={tenants.operator}")
    assert "created" in kubectl(*as_operator, stdin=json.dumps(text))


def test_a_policy_that_came_later_leaves_what_is_there_its_labels_and_its_end(tenants: Tenants) -> None:
    kubectl, name = tenants.kubectl, f"{tenants.home}-kafkausers"
    expression = {"spec": {"matchConditions": [{"name": "never", "expression": "false"}]}}
    before = json.loads(kubectl("get", "validatingadmissionpolicy", name, "-o", "json"))["spec"]["matchConditions"]
    kubectl("patch", "validatingadmissionpolicy", name, "--type=merge", "-p", json.dumps(expression))
    user = {"apiVersion": VERSION, "kind": "KafkaUser", "metadata": {"name": "early"}, "spec": {}}

    def made() -> bool:
        return "early" in kubectl("apply", "-n", tenants.mine, "-f", "-", stdin=json.dumps(user))

    wait_for(made, what="a user from before the policy")
    kubectl(
        "patch",
        "validatingadmissionpolicy",
        name,
        "--type=merge",
        "-p",
        json.dumps({"spec": {"matchConditions": before}}),
    )
    wait_for(lambda: "does not start" in tenants.tried("KafkaUser", {}), what="the policy is back")
    kubectl("label", "kuser", "early", "-n", tenants.mine, "team=alerts")
    changed = tenants.tried("KafkaUser", {"deletionPolicy": "Retain"}, name="early")
    assert "user early does not start with" in changed
    kubectl("delete", "kuser", "early", "-n", tenants.mine, "--timeout=30s")


def test_it_can_be_left_out_and_acls_by_user_are_judged_only_with_one_connection(render: Render) -> None:
    kinds = ("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding")
    assert of_kind(render("--set", "admissionPolicy.enabled=false"), *kinds) == []
    for single in (True, False):
        objects = render("--set", f"admissionPolicy.singleConnection={str(single).lower()}")
        (policy,) = (each for each in of_kind(objects, kinds[0]) if each["metadata"]["name"].endswith("-kafkaacls"))
        (found,) = (each["expression"] for each in policy["spec"]["variables"] if each["name"] == "connection")
        assert found.endswith("params.metadata.name" if single else "''")
