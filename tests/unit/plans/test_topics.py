"""Topic plans, a case a line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from fink_distribution.errors import Reason, Stalled
from fink_distribution.plans.topics import ObservedTopic, plan_topic, shortfall
from fink_distribution.resources.alert_topic import AlertTopic


def declare(spec: Mapping[str, Any] | None = None, **status: Any) -> AlertTopic:
    return AlertTopic.of({"metadata": {"name": "alerts"}, "spec": dict(spec or {}), "status": status})


def observe(partitions: int = 2, topic_id: str = "id", **config: str) -> ObservedTopic:
    return ObservedTopic(
        "alerts", topic_id, partitions, 1, {key.replace("_", "."): value for key, value in config.items()}
    )


OURS = {"ownership": "Created", "topicId": "id"}


@pytest.mark.parametrize(
    ("declared", "observed", "plan"),
    [
        (declare(), None, ["create topic alerts"]),
        (declare(**OURS), None, ["create topic alerts"]),
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


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({}, None),
        ({"partitions": 2, "replicationFactor": 1}, None),
        ({"partitions": 1}, "partitions: 1 is fewer than the 2"),
        ({"replicationFactor": 3}, "replicationFactor: 3 is declared, but topic alerts has 1"),
    ],
)
def test_shortfall(spec: Mapping[str, Any], said: str | None) -> None:
    problem = shortfall(declare(spec, **OURS), observe())
    assert (problem is None) == (said is None)
    if problem is not None and said is not None:
        assert said in problem.message
