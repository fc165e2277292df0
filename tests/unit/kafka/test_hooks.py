"""What is called around a request to Kafka."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from fink_distribution.kafka.hooks import is_write, timed


@pytest.mark.parametrize("method", ["describe_topics", "describe_acls", "list_offsets", "list_topics"])
def test_looking_is_no_write(method: str) -> None:
    assert not is_write(method)


@pytest.mark.parametrize("method", ["create_topics", "alter_user_scram_credentials", "delete_acls", "made_up_later"])
def test_all_else_is_a_write(method: str) -> None:
    assert is_write(method)


@pytest.mark.parametrize(
    ("codes", "result"),
    [
        ([None, None], "ok"),
        ([None, KafkaError.UNKNOWN_TOPIC_OR_PART], "ok"),
        ([None, KafkaError.TOPIC_AUTHORIZATION_FAILED], "NotAuthorized"),
        ([KafkaError._TIMED_OUT, None], "KafkaUnreachable"),
        ([KafkaError.INVALID_CONFIG, KafkaError._TIMED_OUT], "InvalidConfig"),
    ],
)
def test_a_request_is_told_once_when_all_its_futures_have_ended(codes: list[int | None], result: str) -> None:
    told: list[tuple[str, str]] = []
    futures: dict[int, Future[Any]] = {number: Future() for number in range(len(codes))}
    timed("create_topics", lambda: futures, lambda call, found, _: told.append((call, found)))
    for future, code in zip(futures.values(), codes, strict=True):
        assert told == []
        if code is None:
            future.set_result(None)
        else:
            future.set_exception(KafkaException(KafkaError(code)))
    assert told == [("create_topics", result)]
