"""Conditions, references: what users and their tools read."""

from __future__ import annotations

import pytest

from fink_distribution.errors import Reason, Stalled, Waiting
from fink_distribution.resources.conditions import Finding, State, Verdict, conditions, is_ready
from fink_distribution.resources.keys import Key, Kind
from fink_distribution.resources.references import references

READY = Verdict(State.READY, Reason.RECONCILED, "all is well")
STALLED = Verdict.of_error(Stalled(Reason.CONFLICT, "two of them"))
WAITING = Verdict.of_error(Waiting(Reason.KAFKA_UNREACHABLE, "no answer"))


@pytest.mark.parametrize(
    ("verdict", "kinds"),
    [
        (READY, {"Ready": "True"}),
        (STALLED, {"Ready": "False", "Stalled": "True"}),
        (WAITING, {"Ready": "False", "Reconciling": "True"}),
    ],
)
def test_never_both_reconciling_and_stalled(verdict: Verdict, kinds: dict[str, str]) -> None:
    written = conditions(verdict, 3, [], "now")
    assert {each["type"]: each["status"] for each in written} == kinds
    assert {each["observedGeneration"] for each in written} == {3}


def test_the_transition_time_moves_only_with_the_status() -> None:
    first = conditions(STALLED, 1, [], "t1")
    other = conditions(Verdict.of_error(Stalled(Reason.INVALID_CONFIG, "another")), 2, first, "t2")
    assert {each["lastTransitionTime"] for each in other} == {"t1"}
    ready = conditions(READY, 2, other, "t3")
    assert [each["lastTransitionTime"] for each in ready] == ["t3"]


def test_a_kinds_own_condition_stands_beside_and_stays() -> None:
    pending = Finding("CredentialsVerified", "Unknown", "LoginPending", "soon")
    first = conditions(READY, 1, [], "t1", [pending])
    assert [each["type"] for each in first] == ["Ready", "CredentialsVerified"]
    stalled = conditions(STALLED, 2, first, "t2")
    assert [each["type"] for each in stalled] == ["Ready", "Stalled", "CredentialsVerified"]
    assert stalled[2] == first[1], "no news: as it stood"
    verified = conditions(READY, 2, stalled, "t3", [Finding("CredentialsVerified", "True", "LoginSucceeded", "in")])
    assert [(each["type"], each["status"], each["lastTransitionTime"]) for each in verified] == [
        ("Ready", "True", "t3"),
        ("CredentialsVerified", "True", "t3"),
    ]


def test_ready_is_only_for_the_generation_that_was_seen() -> None:
    status = {"observedGeneration": 1, "conditions": conditions(READY, 1, [], "t")}
    assert is_ready({"metadata": {"generation": 1}, "status": status})
    assert not is_ready({"metadata": {"generation": 2}, "status": status})
    assert not is_ready({"metadata": {"generation": 1}, "status": {"observedGeneration": -1}})


def test_references() -> None:
    metadata = {"namespace": "ns", "name": "x"}
    connection = Key(Kind.KAFKA_CONNECTION, "home", "default")
    stream = {
        "kind": "DistributionStream",
        "metadata": metadata,
        "spec": {
            "source": {"parquet": {"claimName": "c"}},
            "checkpoint": {"claimName": "d"},
            "outputs": [{"name": "o", "topicRef": {"name": "t"}}],
        },
    }
    acl = {
        "kind": "KafkaAcl",
        "metadata": metadata,
        "spec": {
            "userRef": {"name": "u"},
            "rules": [
                {"name": "a", "operations": ["Read"], "resource": {"type": "Topic", "topicRef": {"name": "t"}}},
                {
                    "name": "b",
                    "operations": ["Read"],
                    "resource": {"type": "Topic", "topicRef": {"name": "t", "namespace": "n2"}},
                },
                {"name": "c", "operations": ["Describe"], "resource": {"type": "Cluster"}},
            ],
        },
    }
    topic = Key(Kind.ALERT_TOPIC, "ns", "t")
    children = {Key(Kind.KAFKA_USER, "ns", "x-stream"), Key(Kind.KAFKA_ACL, "ns", "x-stream")}
    assert references(stream, "home") == {connection, topic, *children}
    slack = {"tokenSecretRef": {"name": "s"}, "routes": [{"to": "#a"}]}
    of_slack = {Key(Kind.KAFKA_USER, "ns", "x-slack"), Key(Kind.KAFKA_ACL, "ns", "x-slack")}
    announcing = {**stream, "spec": {**stream["spec"], "slack": slack}}
    assert references(announcing, "home") == {connection, topic, *children, *of_slack}
    foreign = Key(Kind.ALERT_TOPIC, "n2", "t")
    assert references(acl, "home") == {topic, foreign, Key(Kind.KAFKA_USER, "ns", "u")}
    looked_at = {**acl, "status": {"connection": "default"}}
    assert references(looked_at, "home") == {topic, foreign, Key(Kind.KAFKA_USER, "ns", "u"), connection}
    raw = {**acl, "spec": {"principal": "User:x", "connectionRef": {"name": "default"}}}
    assert references(raw, "home") == {connection}
    assert references({"kind": "AlertTopic", "metadata": metadata, "spec": {}}, "home") == {connection}
    other = {"kind": "KafkaUser", "metadata": metadata, "spec": {"connectionRef": {"name": "lsst"}}}
    assert references(other, "home") == {Key(Kind.KAFKA_CONNECTION, "home", "lsst")}
