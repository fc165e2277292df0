"""Waiting for a condition, never for a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

PAUSE = 0.05


def poll(condition: Callable[[], object], timeout: float, pause: float = PAUSE) -> bool:
    """Look until the condition is true or the time is over; say which."""
    deadline = time.monotonic() + timeout
    never = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            return False
        never.wait(pause)
    return True
