"""Permissions folded into KafkaAcls say exactly what they said before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from fink_distribution.manifests.folding import _OPERATIONS, LIMIT, fold, why_not
from fink_distribution.manifests.problems import Origin
from fink_distribution.manifests.reading import Document
from fink_distribution.manifests.schemas import check
from fink_distribution.resources.kafka_acl import Binding, bindings
from fink_distribution.resources.keys import API_VERSION

DECLARED = {"declared": "declared-topic"}
"""Topics that have an AlertTopic."""

operations = st.sampled_from(sorted({each for legal in _OPERATIONS.values() for each in legal} | {"Unknown"}))
names = st.sampled_from(
    ["a", "b", "A", "a-b", "a_b", "declared", "*", "kafka-cluster", "é", "x" * 250, "a" * 100, "a" * 101]
)
some_bindings = st.frozensets(
    st.builds(
        Binding,
        st.sampled_from([*_OPERATIONS, "Unknown"]),
        names,
        st.sampled_from(["Literal", "Prefixed"]),
        operations,
        st.sampled_from(["*", "*", "10.0.0.1", "::1", "a.host"]),
        st.sampled_from(["Allow", "Allow", "Deny"]),
    ),
    max_size=60,
)


def topic_item(name: str) -> Mapping[str, Any]:
    return {"topicRef": {"name": DECLARED[name]}} if name in DECLARED else {"name": name}


def body(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": "KafkaAcl",
        "metadata": {"name": "acl", "namespace": "ns"},
        "spec": {"userRef": {"name": "u"}, **spec},
    }


def expanded(specs: tuple[Mapping[str, Any], ...]) -> frozenset[Binding]:
    topics = {resource: name for name, resource in DECLARED.items()}
    return frozenset().union(*(bindings(body(spec), lambda key: topics[key.name]) for spec in specs))


@given(some_bindings)
@settings(max_examples=300, deadline=None)
def test_expanding_gives_back_what_was_folded(found: frozenset[Binding]) -> None:
    folded = fold(found, topic_item)
    undeclarable = {binding for binding, _ in folded.undeclarable}
    assert expanded(folded.specs) == found - undeclarable
    assert undeclarable <= found
    for spec in folded.specs:
        assert check(Document(Origin("spec", 1), body(spec))) == []


def kafka_acls(option: str, *topics: str, **more: str) -> frozenset[Binding]:
    """What kafka-acls.sh --consumer or --producer makes."""
    topic = {"consumer": ("Read", "Describe"), "producer": ("Write", "Describe", "Create")}[option]
    found = {Binding("Topic", name, "Literal", operation, "*") for name in topics for operation in topic}
    found |= {Binding("Group", more["group"], "Literal", "Read", "*")} if "group" in more else set()
    if "id" in more:
        found |= {Binding("TransactionalId", more["id"], "Literal", each, "*") for each in ("Write", "Describe")}
    return frozenset(found)


@pytest.mark.parametrize(
    ("found", "specs"),
    [
        (frozenset(), []),
        (
            kafka_acls("consumer", "a", "declared", group="g"),
            [
                {
                    "consumer": {
                        "topics": [{"name": "a"}, {"topicRef": {"name": "declared-topic"}}],
                        "group": {"name": "g"},
                    }
                }
            ],
        ),
        (
            kafka_acls("producer", "a", id="t"),
            [{"producer": {"topics": [{"name": "a"}], "transactionalId": {"name": "t"}}}],
        ),
        (
            kafka_acls("consumer", "a", group="g") | kafka_acls("producer", "a"),
            [
                {
                    "consumer": {"topics": [{"name": "a"}], "group": {"name": "g"}},
                    "producer": {"topics": [{"name": "a"}]},
                }
            ],
        ),
        (  # a consumer without a group is none
            kafka_acls("consumer", "a"),
            [
                {
                    "rules": [
                        {
                            "name": "topic-a",
                            "resource": {"type": "Topic", "name": "a"},
                            "operations": ["Describe", "Read"],
                        }
                    ]
                }
            ],
        ),
        (  # one operation more: a rule says it as it is
            kafka_acls("producer", "a") | {Binding("Topic", "a", "Literal", "Alter", "*")},
            [
                {
                    "rules": [
                        {
                            "name": "topic-a",
                            "resource": {"type": "Topic", "name": "a"},
                            "operations": ["Alter", "Create", "Describe", "Write"],
                        }
                    ]
                }
            ],
        ),
        (
            frozenset({Binding("Cluster", "kafka-cluster", "Literal", "IdempotentWrite", "10.0.0.1")}),
            [
                {
                    "rules": [
                        {
                            "name": "cluster",
                            "resource": {"type": "Cluster"},
                            "operations": ["IdempotentWrite"],
                            "host": "10.0.0.1",
                        }
                    ]
                }
            ],
        ),
    ],
)
def test_the_shorthand_is_used_where_it_says_the_same(found: frozenset[Binding], specs: list[Any]) -> None:
    assert list(fold(found, topic_item).specs) == specs


def test_what_is_too_much_for_one_resource_becomes_several() -> None:
    many = frozenset({Binding("Topic", f"t{index}", "Literal", "Alter", "*") for index in range(LIMIT + 1)})
    consumed = kafka_acls("consumer", *(f"c{index}" for index in range(LIMIT + 1)), group="g")
    specs = fold(many | consumed, topic_item).specs
    assert [len(spec["rules"]) for spec in specs] == [LIMIT, 1]
    assert [len(spec["consumer"]["topics"]) for spec in specs] == [LIMIT, 1]


@pytest.mark.parametrize(
    ("binding", "reason"),
    [
        (Binding("Topic", "a", "Literal", "TwoPhaseCommit", "*"), "knows no TwoPhaseCommit on a Topic"),
        (Binding("Group", "a", "Literal", "Write", "*"), "knows no Write on a Group"),
        (Binding("Topic", "a", "Literal", "Read", "a.host"), "no IP address"),
        (Binding("Topic", "a*", "Literal", "Read", "*"), "no topic can have this name"),
        (Binding("Group", "*", "Prefixed", "Read", "*"), "begin with"),
        (Binding("Group", "g" * 250, "Literal", "Read", "*"), "longer than 249"),
        (Binding("Cluster", "mine", "Literal", "Create", "*"), "another name"),
    ],
)
def test_what_cannot_be_declared_is_named_with_its_reason(binding: Binding, reason: str) -> None:
    folded = fold(frozenset({binding}), topic_item)
    assert folded.specs == ()
    assert [(found, reason in why) for found, why in folded.undeclarable] == [(binding, True)]


def test_the_legal_operations_are_those_of_the_schema() -> None:
    text = (Path(__file__).parents[3] / "crds" / "kafkaacls.yaml").read_text()
    (version,) = yaml.safe_load(text)["spec"]["versions"]
    rules = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]["rules"]["items"]
    said = [each["message"] for each in rules["x-kubernetes-validations"]]
    found = {
        match[1]: set(match[2].replace("or All", "All").split(", "))
        for text in said
        if (match := re.match(r"operations on (?:a|the) (\w+) are: (.*)", text))
    }
    assert found == _OPERATIONS


def test_all_that_a_rule_may_say_can_be_folded() -> None:
    for kind, legal in _OPERATIONS.items():
        name = "kafka-cluster" if kind == "Cluster" else "a"
        assert [why_not(Binding(kind, name, "Literal", each, "*")) for each in legal] == [None] * len(legal)
