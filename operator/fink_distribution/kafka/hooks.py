"""What is called around each request to Kafka: the permission to write, and the time that it took."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from confluent_kafka import KafkaException

from fink_distribution.errors import Reason
from fink_distribution.kafka.failures import explain, is_absent

OK = "ok"


@dataclass(frozen=True)
class Hooks:
    """
    Attributes
    ----------
    before_write
        Called before each request that may change something; what it raises stops the request.
    after
        Called when a request has ended, in any thread: the request's name, "ok" or the reason of its failure, and how many
        seconds it took.
    """

    before_write: Callable[[], None] = lambda: None
    after: Callable[[str, str, float], None] = lambda _call, _result, _seconds: None


def is_write(method: str) -> bool:
    """Say whether a method of AdminClient may change something; one that is not known to only look, may."""
    return not method.startswith(("describe_", "list_"))


def timed(method: str, start: Callable[[], Any], after: Callable[[str, str, float], None]) -> Any:
    """Start a request and call `after` once all its futures have ended; return what `start` does."""
    begun = time.monotonic()
    answer = start()
    futures: list[Future[Any]] = list(answer.values()) if isinstance(answer, Mapping) else [answer]
    left, results, lock = [len(futures)], {OK}, threading.Lock()

    def ended(future: Future[Any]) -> None:
        with lock:
            results.add(result_of(method, future.exception()))
            left[0] -= 1
            if left[0]:
                return
        failures = sorted(results - {OK})
        after(method, failures[0] if failures else OK, time.monotonic() - begun)

    for future in futures:
        future.add_done_callback(ended)
    return answer


def result_of(method: str, error: BaseException | None) -> str:
    """Return "ok", or the reason that the failure has in conditions. That something does not exist is an answer."""
    if error is None:
        return OK
    if not isinstance(error, KafkaException):
        return Reason.INTERNAL_ERROR
    return OK if is_absent(error.args[0]) else explain(error.args[0], method, "").reason
