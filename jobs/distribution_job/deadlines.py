"""Calls of Kafka's clients that have to end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from confluent_kafka import KafkaException


def within(seconds: float, call: Callable[[], None]) -> bool:
    """Call, and raise what it raises; False when it has not come back by then, and is left alone."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:  # noqa: BLE001  it is raised where it was asked for
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if raised:
        raise raised[0]
    return not thread.is_alive()


def insist(call: Callable[[], object], seconds: float) -> None:
    """Call again, for a while, what says that it may be called again."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            call()
            return
        except KafkaException as error:
            if not error.args[0].retriable() or time.monotonic() > deadline:
                raise
