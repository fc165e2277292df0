"""What a KafkaAcl declares, what a grant covers, and which policy counts: a case a line."""

from __future__ import annotations

from typing import Any

import pytest

from fink_distribution.resources.grants import grant_for, missing_grants
from fink_distribution.resources.kafka_acl import Binding, bindings, items
from fink_distribution.resources.keys import Key, Kind
from fink_distribution.resources.policies import policy_for


def acl(**spec: Any) -> dict[str, Any]:
    return {"kind": "KafkaAcl", "metadata": {"namespace": "ztf", "name": "a"}, "spec": spec}


def rule(kind: str, operations: list[str], **more: Any) -> dict[str, Any]:
    resource = {"type": kind, **{key: more.pop(key) for key in ("name", "topicRef", "patternType") if key in more}}
    return {"name": "r", "resource": resource, "operations": operations, **more}


def lines(body: dict[str, Any]) -> list[str]:
    found = bindings(body, lambda key: f"{key.namespace}/{key.name}")
    return sorted(f"{each.permission} {each}" for each in found)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (
            {"consumer": {"topics": [{"name": "t"}], "group": {"name": "g", "patternType": "Prefixed"}}},
            [
                "Allow Describe on Topic t from *",
                "Allow Read on Group prefix g from *",
                "Allow Read on Topic t from *",
            ],
        ),
        (
            {
                "host": "10.0.0.1",
                "producer": {"topics": [{"topicRef": {"name": "t"}}], "transactionalId": {"name": "i"}},
            },
            [
                "Allow Create on Topic ztf/t from 10.0.0.1",
                "Allow Describe on Topic ztf/t from 10.0.0.1",
                "Allow Describe on TransactionalId i from 10.0.0.1",
                "Allow Write on Topic ztf/t from 10.0.0.1",
                "Allow Write on TransactionalId i from 10.0.0.1",
            ],
        ),
        (
            {"rules": [rule("Topic", ["Read"], topicRef={"name": "t", "namespace": "lsst"})]},
            ["Allow Read on Topic lsst/t from *"],
        ),
        ({"rules": [rule("Cluster", ["Describe"])]}, ["Allow Describe on Cluster kafka-cluster from *"]),
        ({"rules": [rule("Topic", ["All"], name="t", permission="Deny")]}, ["Deny All on Topic t from *"]),
        (
            {"rules": [rule("User", ["CreateTokens"], name="User:x", host="::1")]},
            ["Allow CreateTokens on User User:x from ::1"],
        ),
    ],
)
def test_a_spec_expands(spec: dict[str, Any], expected: list[str]) -> None:
    assert lines(acl(**spec)) == expected


def test_entries_say_where_they_stand() -> None:
    consumer = {"topics": [{"name": "a"}, {"name": "b"}], "group": {"name": "g"}}
    producer = {"topics": [{"name": "a"}], "transactionalId": {"name": "i"}}
    found = items(acl(consumer=consumer, producer=producer, rules=[rule("Cluster", ["Describe"])]))
    assert [item.path for item in found] == [
        "consumer.topics[0]",
        "consumer.topics[1]",
        "consumer.group",
        "producer.topics[0]",
        "producer.transactionalId",
        "rules[r]",
    ]


@pytest.mark.parametrize("permission", ["Allow", "Deny"])
def test_a_binding_comes_back_from_the_status(permission: str) -> None:
    binding = Binding("Topic", "t", "Prefixed", "Read", "*", permission)
    assert Binding.from_status(binding.to_status()) == binding
    assert ("permission" in binding.to_status()) == (permission == "Deny"), (
        "a status of before there was Deny stays as it is"
    )


@pytest.mark.parametrize(
    ("namespace", "grants", "operations", "missing"),
    [
        ("ztf", [], ("Read", "Delete"), ()),  # one's own topic
        ("lsst", [], ("Read",), ("Read",)),
        ("lsst", [{"namespace": "lsst", "operations": ["Consume"]}], ("Read", "Describe", "DescribeConfigs"), ()),
        (
            "lsst",
            [{"namespace": "lsst", "operations": ["Consume"]}],
            ("Write", "Describe", "Create"),
            ("Write", "Create"),
        ),
        ("lsst", [{"namespace": "lsst", "operations": ["Produce"]}], ("Write", "Describe", "Create"), ()),
        ("lsst", [{"namespace": "lsst", "operations": ["Consume", "Produce"]}], ("Read", "Write"), ()),
        ("lsst", [{"namespace": "lsst", "operations": ["Consume", "Produce"]}], ("Delete", "All"), ("Delete", "All")),
        ("lsst", [{"namespace": "lsst-dev", "operations": ["Consume"]}], ("Read",), ("Read",)),
    ],
)
def test_grants(
    namespace: str, grants: list[dict[str, Any]], operations: tuple[str, ...], missing: tuple[str, ...]
) -> None:
    topic = {"metadata": {"namespace": "ztf"}, "spec": {"grants": grants}}
    assert missing_grants(topic, namespace, operations) == missing


@pytest.mark.parametrize(
    ("operations", "grant"),
    [
        (("Read", "Describe"), "[Consume]"),
        (("Write", "Describe", "Create"), "[Produce]"),
        (("Read", "Write"), "[Consume, Produce]"),
        (("Delete",), ""),
    ],
)
def test_the_grant_that_is_wanted(operations: tuple[str, ...], grant: str) -> None:
    assert grant_for(operations) == grant


POLICIES = [
    {
        "name": "ztf",
        "namespaces": ["ztf", "ztf-dev"],
        "topicPrefixes": ["fink_", "{namespace}."],
        "allow": {"denyRules": True},
    },
    {"name": "ztf-too", "namespaces": ["ztf"], "topicPrefixes": ["*"]},
    {"name": "others", "namespaces": ["*"], "groupPrefixes": ["*"]},
]


@pytest.mark.parametrize(("namespace", "name"), [("ztf", "ztf"), ("ztf-dev", "ztf"), ("lsst", "others")])
def test_the_first_policy_that_matches_counts_alone(namespace: str, name: str) -> None:
    policy = policy_for({"metadata": {"name": "c"}, "spec": {"policies": POLICIES}}, namespace)
    assert policy is not None
    assert policy.name == name


@pytest.mark.parametrize(
    ("namespace", "what", "name", "allowed"),
    [
        ("ztf", "Topic", "fink_sn", True),
        ("ztf", "Topic", "ztf.sn", True),
        ("ztf-dev", "Topic", "ztf.sn", False),  # another namespace's
        ("ztf", "Topic", "fink", False),  # as a prefix it would be wider than what is allowed
        ("ztf", "Topic", "*", False),
        ("ztf", "Group", "ztf.g", False),  # no groupPrefixes: no groups
        ("lsst", "Group", "anything", True),
        ("lsst", "Group", "*", True),
        ("lsst", "Topic", "lsst.sn", False),
    ],
)
def test_prefixes(namespace: str, what: str, name: str, allowed: bool) -> None:
    policy = policy_for({"metadata": {"name": "c"}, "spec": {"policies": POLICIES}}, namespace)
    assert policy is not None
    assert policy.permits(what, name) is allowed


def test_topics_of_other_namespaces_are_found() -> None:
    (item,) = items(acl(rules=[rule("Topic", ["Read"], topicRef={"name": "t", "namespace": "lsst"})]))
    assert item.topic == Key(Kind.ALERT_TOPIC, "lsst", "t")
