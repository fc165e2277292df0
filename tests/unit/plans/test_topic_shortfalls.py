"""What is declared of a topic but cannot be had, a case a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from fink_distribution.errors import Reason, Stalled, Waiting
from fink_distribution.plans.replicas import Move, Placement
from fink_distribution.plans.topic_shortfalls import applied, remaining, shortfalls, together
from fink_distribution.plans.topics import ObservedTopic
from fink_distribution.resources.alert_topic import AlertTopic

TOPIC = ObservedTopic(
    "alerts", "id", 2, 1, {"retention.ms": "5"}, ((1,), (2,)), frozenset({"retention.ms", "segment.ms"})
)
MOVED = {0: Move((1, 3), adding=(3,), removing=(1,))}


def declare(spec: Mapping[str, Any], **status: Any) -> AlertTopic:
    return AlertTopic.of({"metadata": {"name": "alerts"}, "spec": dict(spec), "status": status})


@pytest.mark.parametrize(
    ("spec", "placement", "said"),
    [
        ({}, None, []),
        ({"partitions": 2, "replicationFactor": 1}, None, []),
        ({"partitions": 3}, None, []),
        ({"partitions": 1}, None, ["partitions: 1 is fewer than the 2"]),
        ({"config": {"retention.mss": "5"}}, None, ["did you mean retention.ms"]),
        ({"replicationFactor": 3}, None, []),
        ({"replicationFactor": 3}, Placement((1, 2, 3)), []),
        (
            {"replicationFactor": 3},
            Placement((1,)),
            ["replicationFactor: 3 is more than the 1 broker(s) of the cluster"],
        ),
        ({"replicationFactor": 2}, Placement((1, 2, 3), MOVED), ["somebody else reassigns 1 partition(s)"]),
        # Somebody moves replicas about, and their number stays the declared one: nobody is in anybody's way.
        ({"replicationFactor": 1}, Placement((1, 2, 3), MOVED), []),
        (
            {"partitions": 1, "config": {"quite.another": "5"}, "replicationFactor": 9},
            Placement((1, 2, 3)),
            ["partitions: 1", "config: quite.another", "replicationFactor: 9"],
        ),
    ],
)
def test_shortfalls(spec: Mapping[str, Any], placement: Placement | None, said: list[str]) -> None:
    found = shortfalls(declare(spec), TOPIC, placement)
    assert len(found) == len(said)
    for error, text in zip(found, said, strict=True):
        assert text in error.message


def test_what_a_person_has_to_mend_comes_first_and_what_was_applied_is_said() -> None:
    waits, stalls = Waiting(Reason.PROGRESSING, "It waits.", 5), Stalled(Reason.INVALID_CONFIG, "It is wrong.")
    error = together([waits, stalls, stalls], ["partitions"])
    assert isinstance(error, Stalled)
    assert (error.reason, error.message) == (Reason.INVALID_CONFIG, "It is wrong. It waits. Applied: partitions.")
    alone = together([waits], [])
    assert isinstance(alone, Waiting)
    assert (alone.message, alone.retry_seconds) == ("It waits.", 5)


@pytest.mark.parametrize(
    ("spec", "names"),
    [
        ({}, []),
        ({"partitions": 2, "replicationFactor": 1}, ["partitions", "replicationFactor"]),
        ({"partitions": 1, "replicationFactor": 2}, []),
        ({"config": {"retention.ms": "5", "segment.ms": "7"}}, ["retention.ms"]),
    ],
)
def test_only_what_is_so_in_kafka_is_called_applied(spec: Mapping[str, Any], names: list[str]) -> None:
    assert applied(declare(spec), TOPIC) == names


@pytest.mark.parametrize(
    ("target", "moves", "left"),
    [(1, {}, 0), (2, {}, 2), (1, MOVED, 1), (2, {0: Move((1, 2), adding=(2,)), 1: Move((2, 1), adding=(1,))}, 2)],
)
def test_partitions_that_remain(target: int, moves: dict[int, Move], left: int) -> None:
    assert remaining(target, TOPIC, Placement((1, 2), moves)) == left
