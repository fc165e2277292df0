"""What policies forbid, a case a line."""

from __future__ import annotations

from typing import Any

import pytest

from fink_distribution.plans.policies import Usage, of_item, of_principal, own_names, usage, violations
from fink_distribution.resources.kafka_acl import Item
from fink_distribution.resources.policies import Policy

STREAM_UID = "0f0e0d0c-0000-4000-8000-000000000000"
PREFIXES = {"Topic": ("ztf_",), "User": ("ztf.",), "Group": ("ztf.",), "TransactionalId": ("ztf.",)}


def policy(*allow: str, **limits: int) -> Policy:
    return Policy("p", "default", "ztf", PREFIXES, limits, frozenset(allow))


def resource(kind: str, name: str, status: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    metadata = {"namespace": "ztf", "name": name, "uid": STREAM_UID if kind == "DistributionStream" else name}
    return {"kind": kind, "metadata": metadata, "spec": spec, "status": status or {}}


def stream(name: str, executors: int = 1) -> dict[str, Any]:
    source = {"source": {"parquet": {"claimName": "c"}}, "checkpoint": {"claimName": "d"}}
    outputs = [{"name": "o", "topicRef": {"name": "t"}}]
    return resource("DistributionStream", name, outputs=outputs, executors={"instances": executors}, **source)


def announcing(name: str) -> dict[str, Any]:
    body = stream(name)
    return {**body, "spec": {**body["spec"], "slack": {"tokenSecretRef": {"name": "s"}, "routes": [{"to": "#a"}]}}}


OWN = own_names([stream("sn"), announcing("sso")])


@pytest.mark.parametrize(
    ("limits", "spec", "others", "said"),
    [
        ({}, {"topicName": "ztf_sn"}, Usage(), []),
        ({}, {"topicName": "lsst_sn"}, Usage(), ["topicName: topic lsst_sn does not start with what policy p"]),
        ({}, {}, Usage(), ["topicName: topic t does not start with"]),
        ({"topics": 3}, {"topicName": "ztf_a"}, Usage(topics=2), []),
        ({"topics": 3}, {"topicName": "ztf_a"}, Usage(topics=3), ["with this one it would be 4 AlertTopics"]),
        ({"partitionsPerTopic": 4}, {"topicName": "ztf_a", "partitions": 4}, Usage(), []),
        ({"partitionsPerTopic": 4}, {"topicName": "ztf_a", "partitions": 5}, Usage(), ["it would be 5 partitions"]),
        ({"partitionsPerTopic": 4}, {"topicName": "ztf_a"}, Usage(), ["partitions: has to be given, because"]),
        ({"totalPartitions": 9}, {"topicName": "ztf_a", "partitions": 4}, Usage(partitions=5), []),
        (
            {"totalPartitions": 9},
            {"topicName": "ztf_a", "partitions": 4},
            Usage(partitions=6),
            ["it would be 10 partitions"],
        ),
        ({"retentionMs": 1000}, {"topicName": "ztf_a", "config": {"retention.ms": "1000"}}, Usage(), []),
        (
            {"retentionMs": 1000},
            {"topicName": "ztf_a", "config": {"retention.ms": "1001"}},
            Usage(),
            ["set 1000 or less"],
        ),
        ({"retentionMs": 1000}, {"topicName": "ztf_a", "config": {"retention.ms": "-1"}}, Usage(), ["-1 is more than"]),
        ({"retentionMs": 1000}, {"topicName": "ztf_a"}, Usage(), ["retention.ms has to be given, because"]),
        (
            {"retentionMs": 1000},
            {"topicName": "ztf_a", "config": {"retention.ms": "1", "cleanup.policy": "compact"}},
            Usage(),
            ["cleanup.policy compact keeps messages for ever"],
        ),
    ],
)
def test_topics(limits: dict[str, int], spec: dict[str, Any], others: Usage, said: list[str]) -> None:
    check(violations(policy(**limits), resource("AlertTopic", "t", **spec), others, OWN), said)


@pytest.mark.parametrize(
    ("limits", "spec", "others", "said"),
    [
        ({}, {"userName": "ztf.reader"}, Usage(), []),
        ({}, {"userName": "lsst.reader"}, Usage(), ["userName: user lsst.reader does not start with"]),
        ({"users": 1}, {"userName": "ztf.reader"}, Usage(users=1), ["with this one it would be 2 KafkaUsers"]),
        ({"producerByteRate": 9}, {"userName": "ztf.a"}, Usage(), ["quotas.producerByteRate: has to be given"]),
        (
            {"producerByteRate": 9},
            {"userName": "ztf.a", "quotas": {"producerByteRate": 10}},
            Usage(),
            ["set 9 or less"],
        ),
        ({"consumerByteRate": 9}, {"userName": "ztf.a", "quotas": {"consumerByteRate": 9}}, Usage(), []),
        # A stream's own user: named by the operator, and counted as a stream.
        ({"users": 0, "producerByteRate": 9}, {"userName": "ztf.sn-stream"}, Usage(), []),
        ({"users": 0, "producerByteRate": 9}, {"userName": "ztf.sso-slack"}, Usage(), []),
        ({}, {"userName": "ztf-dev.sn-stream"}, Usage(), ["user ztf-dev.sn-stream does not start with"]),
        ({}, {"userName": "lsst.sn-slack"}, Usage(), ["user lsst.sn-slack does not start with"]),
    ],
)
def test_users(limits: dict[str, int], spec: dict[str, Any], others: Usage, said: list[str]) -> None:
    check(violations(policy(**limits), resource("KafkaUser", "u", **spec), others, OWN), said)


@pytest.mark.parametrize(
    ("limits", "others", "said"),
    [
        ({}, Usage(), []),
        ({"streams": 1}, Usage(streams=1), ["with this one it would be 2 DistributionStreams"]),
        ({"executors": 5}, Usage(executors=2), []),
        ({"executors": 5}, Usage(executors=3), ["with this one it would be 6 executors"]),
    ],
)
def test_streams(limits: dict[str, int], others: Usage, said: list[str]) -> None:
    check(violations(policy(**limits), stream("sn", executors=3), others, OWN), said)


def entry(kind: str, name: str, pattern: str = "Literal", permission: str = "Allow") -> Item:
    return Item("rules[r]", kind, None, name, pattern, ("Describe",), "*", permission)


@pytest.mark.parametrize(
    ("allow", "item", "said"),
    [
        ((), entry("Topic", "ztf_sn"), []),
        ((), entry("Topic", "ztf_", "Prefixed"), []),
        ((), entry("Topic", "ztf", "Prefixed"), ["topic ztf does not start with"]),
        (
            (),
            entry("Topic", "*"),
            ["topic * does not start with what policy p of KafkaConnection default allows namespace ztf: ztf_"],
        ),
        ((), entry("Group", "ztf.g"), []),
        ((), entry("Group", "g"), ["group g does not start with"]),
        ((), entry("TransactionalId", "ztf.i"), []),
        ((), entry("TransactionalId", "i"), ["transactional id i does not start with"]),
        ((), entry("TransactionalId", f"{STREAM_UID}-1"), []),  # a stream's own
        ((), entry("TransactionalId", "ztf.sn-stream"), []),
        ((), entry("Group", "ztf.sso-slack"), []),
        ((), entry("Topic", STREAM_UID), ["does not start with"]),
        ((), entry("Cluster", "kafka-cluster"), ["does not allow rules about the Cluster"]),
        ((), entry("DelegationToken", "*"), ["does not allow rules about the Cluster, delegation tokens"]),
        ((), entry("User", "User:x"), ["does not allow rules about the Cluster, delegation tokens and users"]),
        (("clusterOperations",), entry("Cluster", "kafka-cluster"), []),
        ((), entry("Topic", "ztf_sn", permission="Deny"), ["does not allow permission Deny"]),
        (("denyRules",), entry("Topic", "ztf_sn", permission="Deny"), []),
        (("denyRules",), entry("Topic", "lsst_sn", permission="Deny"), ["topic lsst_sn does not start with"]),
    ],
)
def test_entries_of_acls(allow: tuple[str, ...], item: Item, said: list[str]) -> None:
    check(of_item(policy(*allow), item, OWN), said)


def test_principals() -> None:
    raw, by_user = (resource("KafkaAcl", "a", **spec) for spec in ({"principal": "User:x"}, {"userRef": {"name": "x"}}))
    check(of_principal(policy(), raw), ["principal: policy p of KafkaConnection default does not allow raw principals"])
    assert of_principal(policy("rawPrincipals"), raw) == of_principal(policy(), by_user) == ()


def test_usage_adds_up_and_leaves_out_the_users_of_streams() -> None:
    bodies = [
        resource("AlertTopic", "a", partitions=3),
        resource("AlertTopic", "b", status={"partitions": 6}, partitions=4),
        resource("AlertTopic", "c"),
        resource("KafkaUser", "u", userName="ztf.reader"),
        resource("KafkaUser", "sn-stream", userName="ztf.sn-stream"),
        stream("sn", executors=3),
    ]
    assert usage(bodies, OWN) == Usage(topics=3, partitions=9, users=1, streams=1, executors=3)


def check(found: tuple[str, ...], said: list[str]) -> None:
    assert len(found) == len(said), found
    for message, part in zip(found, said, strict=True):
        assert part in message
