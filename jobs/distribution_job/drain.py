"""Ending between two batches: a signal asks for it, and nobody is interrupted."""

from __future__ import annotations

import logging
import signal
import threading
from types import FrameType

LOG = logging.getLogger(__name__)


class Draining(Exception):  # noqa: N818  not an error: the job is to end, and the batch is left to the next start
    """Raised where work would have to go on while the job is to end."""


class Drain:
    """Set by SIGTERM or SIGINT; a second signal changes nothing."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def listen(self) -> None:
        """Take over both signals; call it again after Spark's start, which takes SIGINT for itself."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._receive)

    def ask(self) -> None:
        self._asked.set()

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    def check(self) -> None:
        """Raise Draining when the job is to end."""
        if self.asked:
            raise Draining

    def wait(self, seconds: float) -> bool:
        """Wait, at most until the job is to end; whether it is."""
        return self._asked.wait(seconds)

    def pause(self, seconds: float) -> None:
        """Wait before another attempt. Raises Draining when the job is to end."""
        if self.wait(seconds):
            raise Draining

    def _receive(self, number: int, frame: FrameType | None) -> None:
        # No logging in here: the handler may run while the main thread holds the log's lock.
        self._asked.set()
