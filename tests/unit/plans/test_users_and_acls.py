"""User and ACL plans, a case a line."""

from __future__ import annotations

import pytest

from fink_distribution.errors import Stalled
from fink_distribution.plans.acls import plan_acls
from fink_distribution.plans.users import ObservedUser, plan_user, refuse_foreign
from fink_distribution.resources.kafka_acl import Binding
from fink_distribution.resources.kafka_user import KafkaUser

SHA512, SHA256 = "SCRAM-SHA-512", "SCRAM-SHA-256"


def user(*, ours: bool = True) -> KafkaUser:
    return KafkaUser.of({"metadata": {"name": "u"}, "spec": {}, "status": {"userName": "u"} if ours else {}})


@pytest.mark.parametrize(
    ("observed", "applied", "plan"),
    [
        ({}, False, ["user u: write the SCRAM-SHA-512 credential (4096 iterations)"]),
        ({}, True, ["user u: write the SCRAM-SHA-512 credential (4096 iterations)"]),
        ({SHA512: 4096}, True, []),
        ({SHA512: 4096}, False, ["user u: write the SCRAM-SHA-512 credential (4096 iterations)"]),
        ({SHA512: 8192}, True, ["user u: write the SCRAM-SHA-512 credential (4096 iterations)"]),
        ({SHA512: 4096, SHA256: 4096}, True, ["user u: remove the SCRAM-SHA-256 credential"]),
        (
            {SHA256: 4096},
            True,
            [
                "user u: write the SCRAM-SHA-512 credential (4096 iterations)",
                "user u: remove the SCRAM-SHA-256 credential",
            ],
        ),
    ],
)
def test_user_plan(observed: ObservedUser, applied: bool, plan: list[str]) -> None:
    assert [str(change) for change in plan_user(user(), observed, applied)] == plan


def test_a_foreign_user_is_refused() -> None:
    refuse_foreign(user(ours=False), {})
    refuse_foreign(user(), {SHA512: 4096})
    with pytest.raises(Stalled, match="was not made by this resource"):
        refuse_foreign(user(ours=False), {SHA512: 4096})


def test_a_foreign_user_is_taken_over_when_it_is_to_be_adopted() -> None:
    adopting = KafkaUser.of({"metadata": {"name": "u"}, "spec": {"adoptionPolicy": "Adopt"}})
    refuse_foreign(adopting, {SHA512: 4096})
    assert [str(change) for change in plan_user(adopting, {SHA512: 4096}, password_is_applied=False)] == [
        "user u: write the SCRAM-SHA-512 credential (4096 iterations)"
    ]


A, B, C = (Binding("Topic", name, "Literal", "Read", "*") for name in "abc")


@pytest.mark.parametrize(
    ("declared", "observed", "owned", "shared", "grants", "revokes", "ledger"),
    [
        ({A}, set(), set(), set(), [A], [], {A}),
        ({A}, {A}, {A}, set(), [], [], {A}),
        ({A}, {A}, set(), set(), [], [], set()),  # made by hand: used, not owned
        ({A}, {A}, set(), {A}, [], [], {A}),  # another resource's as well: shared
        ({A, B}, {A, C}, {A, C}, set(), [B], [C], {A, B}),
        (set(), {A, B}, {A}, set(), [], [A], set()),
        (set(), {A}, {A}, {A}, [], [], set()),  # the other one keeps it
        (set(), set(), {A}, set(), [], [A], set()),  # removed by hand, or made a moment ago: not seen is not gone
        ({A}, set(), {A}, set(), [A], [], {A}),  # drift
    ],
)
def test_acl_plan(
    declared: set[Binding],
    observed: set[Binding],
    owned: set[Binding],
    shared: set[Binding],
    grants: list[Binding],
    revokes: list[Binding],
    ledger: set[Binding],
) -> None:
    plan = plan_acls(declared, observed, owned, shared)
    assert (list(plan.grants), list(plan.revokes), plan.ledger) == (grants, revokes, ledger)
    assert bool(plan) == bool(grants or revokes)


def test_what_was_given_by_hand_is_adopted_as_far_as_it_is_declared() -> None:
    plan = plan_acls({A, B}, {A, C}, set(), set(), adopt=True)
    assert (list(plan.grants), list(plan.revokes), plan.ledger) == ([B], [], {A, B})
    assert not plan_acls({A}, {A}, set(), set(), adopt=True)
