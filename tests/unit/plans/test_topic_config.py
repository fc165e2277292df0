"""Keys and values of a topic's configuration."""

from __future__ import annotations

import pytest

from fink_distribution.plans.topic_config import about_unknown_keys, is_same_value, unknown_keys

KNOWN = frozenset({"retention.ms", "retention.bytes", "segment.ms", "segment.bytes", "cleanup.policy"})


@pytest.mark.parametrize(
    ("declared", "observed", "same"),
    [
        ("5", "5", True),
        ("5", "6", False),
        ("5", None, False),
        ("compact, delete", "compact,delete", True),
        ("compact,delete", "delete,compact", False),
        ("0.50", "0.5", True),
        ("+5", "5", True),
        ("1e-1", "0.1", True),
        ("TRUE", "true", True),
        ("zstd", "ZSTD", False),
        ("-1", "-1", True),
        # Kafka refuses it, so it must not pass for a thousand.
        ("1_000", "1000", False),
        ("", "", True),
    ],
)
def test_values_are_the_same_when_kafka_understands_the_same(declared: str, observed: str | None, same: bool) -> None:
    assert is_same_value(declared, observed) is same


def test_a_key_is_unknown_only_when_the_list_is_known() -> None:
    assert unknown_keys(["retention.ms", "retention.mss"], KNOWN) == ["retention.mss"]
    assert unknown_keys(["retention.mss"], frozenset()) == []


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("retention.mss", "did you mean retention.ms"),
        ("log.retention.ms", "did you mean retention.ms?"),
        ("retention.size.bytes", "did you mean retention.bytes"),
        ("quite.another", "docs/topics.md says"),
    ],
)
def test_the_message_names_the_key_and_those_that_are_close(key: str, said: str) -> None:
    message = about_unknown_keys([key], KNOWN)
    assert f"config: {key} is no topic configuration" in message
    assert said in message
