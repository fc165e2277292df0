"""Which cluster a KafkaConnection means."""

from __future__ import annotations

import pytest

from fink_distribution.plans.cluster_identity import mismatch
from fink_distribution.resources.kafka_connection import KafkaConnection


@pytest.mark.parametrize(
    ("pinned", "remembered", "answer", "message"),
    [
        (None, None, "a", None),
        (None, "a", "a", None),
        (
            None,
            "a",
            "b",
            "kafka:9092 was cluster a and is now cluster b; nothing is written to it. Correct bootstrapServers, or, ",
        ),
        ("a", None, "a", None),
        ("b", "a", "b", None),
        ("a", None, "b", "kafka:9092 is cluster b, but spec.clusterId pins a"),
        ("a", "b", "b", "kafka:9092 is cluster b, but spec.clusterId pins a"),
    ],
)
def test_the_pinned_cluster_counts_and_else_the_first(
    pinned: str | None, remembered: str | None, answer: str, message: str | None
) -> None:
    connection = KafkaConnection("default", "kafka:9092", "kafka:9092", None, None, pinned)
    found = mismatch(connection, remembered, answer)
    assert (found is None) == (message is None)
    assert found is None or found.message.startswith(message or "")
