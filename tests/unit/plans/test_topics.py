"""Topic plans, a case a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from fink_distribution.errors import Reason, Stalled
from fink_distribution.plans.replicas import Move, Placement, Replicas
from fink_distribution.plans.topics import (
    AlterConfig,
    ChangeReplicas,
    ObservedTopic,
    is_as_created,
    plan_topic,
    settled,
)
from fink_distribution.resources.alert_topic import AlertTopic


def declare(spec: Mapping[str, Any] | None = None, **status: Any) -> AlertTopic:
    return AlertTopic.of({"metadata": {"name": "alerts"}, "spec": dict(spec or {}), "status": status})


def observe(partitions: int = 2, topic_id: str = "id", **config: str) -> ObservedTopic:
    return ObservedTopic(
        "alerts", topic_id, partitions, 1, {key.replace("_", "."): value for key, value in config.items()}
    )


def placed(*assignment: Replicas) -> ObservedTopic:
    """A topic whose partitions have these replicas."""
    return ObservedTopic("alerts", "id", len(assignment), min(map(len, assignment)), {}, assignment)


OURS = {"ownership": "Created", "topicId": "id"}


@pytest.mark.parametrize(
    ("declared", "observed", "plan"),
    [
        (declare(), None, ["create topic alerts"]),
        (declare(**OURS), None, ["create topic alerts"]),
        (
            declare({"partitions": 3, "replicationFactor": 2, "config": {"retention.ms": "5"}}),
            None,
            ["create topic alerts: 3 partition(s), 2 replica(s), retention.ms=5"],
        ),
        (declare(**OURS), observe(), []),
        (declare({"partitions": 2}, **OURS), observe(), []),
        (declare({"partitions": 5}, **OURS), observe(), ["topic alerts: partitions 2 -> 5"]),
        (declare({"partitions": 1}, **OURS), observe(), []),
        (declare({"config": {"retention.ms": "5"}}, **OURS), observe(), ["topic alerts: retention.ms=5"]),
        (declare({"config": {"retention.ms": "5"}}, **OURS), observe(retention_ms="5"), []),
        (
            declare({"config": {"cleanup.policy": "compact,delete"}}, **OURS),
            observe(cleanup_policy="compact, delete"),
            [],
        ),
        (declare(**OURS), observe(retention_ms="5"), []),
        (
            declare(configKeys=["retention.ms"], **OURS),
            observe(retention_ms="5", segment_ms="7"),
            ["topic alerts: retention.ms to the broker's default"],
        ),
        (declare(configKeys=["retention.ms"], **OURS), observe(), []),
        (declare({"adoptionPolicy": "Adopt"}), observe(), ["adopt topic alerts"]),
        (
            declare({"adoptionPolicy": "Adopt", "partitions": 3}),
            observe(),
            ["adopt topic alerts", "topic alerts: partitions 2 -> 3"],
        ),
        (declare({"adoptionPolicy": "Adopt"}, **OURS), observe(topic_id="another"), ["adopt topic alerts"]),
        (declare({"replicationFactor": 3}, **OURS), observe(), ["topic alerts: replicas 1 -> 3"]),
        (declare({"replicationFactor": 1}, **OURS), observe(), []),
        (
            declare({"config": {"min.cleanable.dirty.ratio": "0.50"}}, **OURS),
            observe(min_cleanable_dirty_ratio="0.5"),
            [],
        ),
    ],
)
def test_plan(declared: AlertTopic, observed: ObservedTopic | None, plan: list[str]) -> None:
    assert [str(change) for change in plan_topic(declared, observed)] == plan


@pytest.mark.parametrize(
    ("declared", "observed", "reason"),
    [
        (declare(), observe(), Reason.CONFLICT),
        (declare(**OURS), observe(topic_id="another"), Reason.TOPIC_RECREATED),
    ],
)
def test_what_is_not_ours_is_refused(declared: AlertTopic, observed: ObservedTopic, reason: Reason) -> None:
    with pytest.raises(Stalled) as caught:
        plan_topic(declared, observed)
    assert caught.value.reason is reason
    assert "adoptionPolicy: Adopt" in caught.value.message


def test_a_key_that_the_brokers_do_not_know_is_left_out_and_the_rest_is_set() -> None:
    declared = declare({"config": {"retention.ms": "5", "retention.mss": "6"}}, **OURS)
    observed = ObservedTopic("alerts", "id", 2, 1, {}, (), frozenset({"retention.ms"}))
    assert plan_topic(declared, observed) == (AlterConfig("alerts", {"retention.ms": "5"}, ()),)


def test_a_change_of_many_keys_can_be_made_key_by_key() -> None:
    change = AlterConfig("alerts", {"b": "2", "a": "1"}, ("c",))
    assert [str(part) for part in change.by_key()] == [
        "topic alerts: a=1",
        "topic alerts: b=2",
        "topic alerts: c to the broker's default",
    ]


BROKERS = (1, 2, 3)


@pytest.mark.parametrize(
    ("target", "ours", "observed", "moves", "assignment"),
    [
        # As declared.
        (1, None, placed((1,), (2,)), {}, None),
        (None, None, placed((1,), (2,)), {}, None),
        # More, and fewer.
        (2, None, placed((1,), (2,)), {}, {0: (1, 3), 1: (2, 3)}),
        (1, None, placed((1, 2), (2, 3)), {}, {0: (1,), 1: (2,)}),
        # A reassignment by hand has left one behind.
        (2, None, placed((1, 2), (2,)), {}, {1: (2, 3)}),
        # More than there are brokers: refused, see the shortfalls.
        (4, None, placed((1,)), {}, None),
        # Ours is under way.
        (2, 2, placed((1, 2)), {0: Move((1, 2), adding=(2,))}, None),
        # Ours is under way for one partition, and another was refused.
        (2, 2, placed((1, 2), (2,)), {0: Move((1, 2), adding=(2,))}, {1: (2, 3)}),
        # The spec went back to one while two were being made, or on to three: taken back first.
        (1, 2, placed((1, 2)), {0: Move((1, 2), adding=(2,))}, {0: ()}),
        (3, 2, placed((1, 2)), {0: Move((1, 2), adding=(2,))}, {0: ()}),
        # Somebody else's: left alone.
        (3, None, placed((1, 2)), {0: Move((1, 2), adding=(2,))}, None),
        (2, None, placed((1, 2, 3)), {0: Move((1, 2, 3), adding=(3,), removing=(1,))}, None),
    ],
)
def test_replicas(
    target: int | None,
    ours: int | None,
    observed: ObservedTopic,
    moves: dict[int, Move],
    assignment: dict[int, Replicas] | None,
) -> None:
    status = {"replicasChange": {"target": ours, "partitionsRemaining": 1}} if ours else {}
    declared = declare({"replicationFactor": target} if target else {}, **OURS, **status)
    changes = plan_topic(declared, observed, Placement(BROKERS, moves))
    found = [change.assignment for change in changes if isinstance(change, ChangeReplicas)]
    assert found == ([] if assignment is None else [assignment])


def test_replicas_that_are_only_being_filled_do_not_count() -> None:
    moving = Placement(BROKERS, {0: Move((1, 2), adding=(2,))})
    now = settled(placed((1, 2), (2,)), moving)
    assert (now.replication_factor, now.assignment) == (1, ((1,), (2,)))


@pytest.mark.parametrize(
    ("spec", "observed", "ours"),
    [
        ({}, observe(), True),
        ({"partitions": 2, "replicationFactor": 1}, observe(), True),
        ({"partitions": 3}, observe(), False),
        ({"replicationFactor": 2}, observe(), False),
        ({"config": {"retention.ms": "5"}}, observe(retention_ms="5"), True),
        ({"config": {"retention.ms": "5"}}, observe(), False),
        ({}, observe(retention_ms="5"), False),
    ],
)
def test_a_topic_is_taken_for_ours_only_when_it_is_as_asked_for(
    spec: Mapping[str, Any], observed: ObservedTopic, ours: bool
) -> None:
    assert is_as_created(declare(spec), observed) is ours
