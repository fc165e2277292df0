"""The plan for manifests, a case a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from fink_distribution.manifests.bundle import Bundle
from fink_distribution.manifests.ledgers import Ledger, Source
from fink_distribution.manifests.planning import Listing, PlannedResource, plan_bundle, taken_as_own
from fink_distribution.manifests.problems import Origin
from fink_distribution.manifests.reading import Document
from fink_distribution.plans.topics import ObservedTopic
from fink_distribution.resources.kafka_acl import Binding
from fink_distribution.resources.keys import API_VERSION

ASSUMED, EMPTY = Ledger(Source.ASSUMED), Ledger(Source.EMPTY)
SHA512 = "SCRAM-SHA-512"


def manifest(kind: str, name: str, spec: Mapping[str, Any], status: Mapping[str, Any] | None = None) -> dict[str, Any]:
    found = {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}
    return found if status is None else {**found, "status": dict(status)}


def topic(name: str = "t", status: Mapping[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    return manifest("AlertTopic", name, spec, status)


def user(name: str = "u", **spec: Any) -> dict[str, Any]:
    return manifest("KafkaUser", name, spec)


def acl(name: str, *operations: str, user: str = "u", topic: Mapping[str, Any] | None = None) -> dict[str, Any]:
    resource = {"type": "Topic", **(topic or {"name": "a"})}
    return manifest(
        "KafkaAcl",
        name,
        {"userRef": {"name": user}, "rules": [{"name": "r", "resource": resource, "operations": list(operations)}]},
    )


def bundle(*manifests: dict[str, Any]) -> Bundle:
    documents = [Document(Origin("all.yaml", index), body) for index, body in enumerate(manifests, 1)]
    return Bundle.of(documents, "ns")


def applied(*manifests: dict[str, Any]) -> Ledger:
    return Ledger(Source.APPLIED, bundle(*manifests))


def kafka(*topics: str, users: Mapping[str, Mapping[str, int]] | None = None, **bindings: set[Binding]) -> Listing:
    return Listing(
        {name: ObservedTopic(name, f"id-{name}", 2, 1, {"retention.ms": "5"}) for name in topics},
        users or {},
        {f"User:{name}": frozenset(found) for name, found in bindings.items()},
    )


def on_a(operation: str) -> Binding:
    return Binding("Topic", "a", "Literal", operation, "*")


def summary(planned: tuple[PlannedResource, ...]) -> list[tuple[str, str, list[str], str | None]]:
    return [
        (each.key.name, each.action, [step.text for step in each.steps], each.problem and each.problem.reason)
        for each in planned
    ]


RESET = "topic t: retention.ms to the broker's default"
WRITE = "user u: write the SCRAM-SHA-512 credential (4096 iterations)"


@pytest.mark.parametrize(
    ("declared", "listing", "ledger", "plan"),
    [
        ([topic()], kafka(), ASSUMED, [("t", "create", ["create topic t"], None)]),
        ([topic()], kafka("t"), ASSUMED, [("t", "none", [], None)]),
        ([topic()], kafka("t"), EMPTY, [("t", "refused", [], "Conflict")]),
        ([topic(adoptionPolicy="Adopt")], kafka("t"), ASSUMED, [("t", "none", [], None)]),
        ([topic(adoptionPolicy="Adopt")], kafka("t"), EMPTY, [("t", "change", ["adopt topic t"], None)]),
        ([topic(partitions=1)], kafka("t"), ASSUMED, [("t", "refused", [], "PartitionsCannotShrink")]),
        ([topic(mode="Observe", partitions=9)], kafka("t"), EMPTY, [("t", "observed", [], None)]),
        ([user()], kafka(), ASSUMED, [("u", "create", [WRITE], None)]),
        ([user()], kafka(users={"u": {SHA512: 4096}}), ASSUMED, [("u", "none", [], None)]),
        ([user()], kafka(users={"u": {SHA512: 4096}}), EMPTY, [("u", "refused", [], "Conflict")]),
        ([user()], kafka(users={"u": {SHA512: 8192}}), ASSUMED, [("u", "change", [WRITE], None)]),
        # What was applied before is the resource's own, with its keys of configuration; other topics are not.
        ([topic()], kafka("t"), applied(topic(config={"retention.ms": "5"})), [("t", "change", [RESET], None)]),
        (
            [topic()],
            kafka("t"),
            applied(topic("other")),
            [("t", "refused", [], "Conflict"), ("other", "none", [], None)],
        ),
        # A status that an API server printed says it exactly.
        (
            [topic()],
            kafka("t"),
            applied(topic(status={"observedGeneration": 1, "ownership": "Created", "topicId": "another"})),
            [("t", "refused", [], "TopicRecreated")],
        ),
        ([topic()], kafka("t"), applied(topic(status={"observedGeneration": 1})), [("t", "refused", [], "Conflict")]),
        (
            [topic()],
            kafka("t"),
            applied(topic(status={"observedGeneration": -1})),
            [("t", "none", [], None)],
        ),
        # What is declared no more goes as its deletionPolicy says.
        ([], kafka("t"), applied(topic()), [("t", "none", [], None)]),
        (
            [],
            kafka("t"),
            applied(topic(deletionPolicy="Delete")),
            [("t", "delete", ["delete topic t with all its messages"], None)],
        ),
        (
            [],
            kafka("t"),
            applied(topic(deletionPolicy="DeleteIfEmpty")),
            [("t", "delete", ["delete topic t if it is empty"], None)],
        ),
        ([], kafka(), applied(topic(deletionPolicy="Delete")), [("t", "none", [], None)]),
        ([], kafka("t"), applied(topic(deletionPolicy="Delete", mode="Plan")), [("t", "none", [], None)]),
        (
            [],
            kafka(users={"u": {SHA512: 4096}}),
            applied(user()),
            [("u", "delete", ["user u: remove the SCRAM-SHA-512 credential"], None)],
        ),
        ([], kafka(users={"u": {SHA512: 4096}}), applied(user(deletionPolicy="Retain")), [("u", "none", [], None)]),
        # Two for one topic: the first by name stays its owner.
        (
            [topic("b", topicName="t"), topic("a", topicName="t")],
            kafka(),
            ASSUMED,
            [("a", "create", ["create topic t"], None), ("b", "refused", [], "Conflict")],
        ),
    ],
)
def test_topics_and_users(
    declared: list[dict[str, Any]], listing: Listing, ledger: Ledger, plan: list[tuple[str, str, list[str], str | None]]
) -> None:
    assert summary(plan_bundle(bundle(*declared), listing, ledger)) == plan


USER = user(mode="Observe")


@pytest.mark.parametrize(
    ("declared", "listing", "ledger", "steps"),
    [
        ([acl("r", "Read")], kafka(), ASSUMED, [["grant Read on Topic a from *"]]),
        ([acl("r", "Read")], kafka(u={on_a("Read"), on_a("Write")}), ASSUMED, [[]]),
        (
            [acl("r", "Read")],
            kafka(u={on_a("Read"), on_a("Write")}),
            applied(USER, acl("r", "Read", "Write")),
            [["revoke Write on Topic a from *"]],
        ),
        # Another resource's as well: it goes with the last.
        (
            [acl("r", "Read"), acl("s", "Write")],
            kafka(u={on_a("Read"), on_a("Write")}),
            applied(USER, acl("r", "Read", "Write"), acl("s", "Write")),
            [[], []],
        ),
        ([], kafka(u={on_a("Read")}), applied(USER, acl("r", "Read")), [["revoke Read on Topic a from *"]]),
    ],
)
def test_permissions(declared: list[dict[str, Any]], listing: Listing, ledger: Ledger, steps: list[list[str]]) -> None:
    planned = plan_bundle(bundle(USER, *declared), listing, ledger)
    assert [[step.text for step in each.steps] for each in planned if each.key.kind == "KafkaAcl"] == steps


def test_what_waits_for_something_refused_is_refused_too() -> None:
    declared = bundle(topic(), USER, acl("r", "Read", topic={"topicRef": {"name": "t"}}))
    _, _, permissions = plan_bundle(declared, kafka("t"), EMPTY)
    assert permissions.problem is not None
    assert permissions.problem.reason == "DependencyNotReady"
    assert "AlertTopic ns/t, which is refused (Conflict)" in permissions.problem.message


def test_it_is_counted_what_a_first_apply_would_refuse() -> None:
    declared = bundle(topic("t"), topic("adopted", adoptionPolicy="Adopt"), topic("new"), USER)
    listing = kafka("t", "adopted", users={"u": {SHA512: 4096}})
    assert taken_as_own(plan_bundle(declared, listing, ASSUMED), declared, ASSUMED) == 1
    assert taken_as_own(plan_bundle(declared, listing, EMPTY), declared, EMPTY) == 0
