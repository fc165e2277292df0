"""A limit on how long code of somebody else's may run, in a Python worker of Spark.

Two lines of defence. A signal raises in code that comes back to the interpreter now and then: nearly all does, sleeps and waits for the
network too. What does not, a loop in C, has its process ended by a thread that needs no interpreter; before that it writes where the code
was into the file that Spark adds to its own error (`spark.python.worker.faulthandler.enabled`).
"""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

# Seconds, and no more than the limit itself: one call of a library may take that before the signal is heard.
_GRACE = 10.0
_AGAIN = 1.0  # seconds between two signals, should the code catch what the first one raises


class OutOfTime(BaseException):
    """Raised within the code that has taken too long."""


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Raise OutOfTime in what runs within once it has taken so long; end the process when that does not help."""
    with ExitStack() as after:
        faulthandler.dump_traceback_later(
            seconds + min(seconds, _GRACE), exit=True, file=after.enter_context(_last_words())
        )
        after.callback(faulthandler.cancel_dump_traceback_later)
        if threading.current_thread() is not threading.main_thread():  # where no signal is heard
            yield
            return
        before = signal.signal(signal.SIGALRM, _ring)
        after.callback(signal.signal, signal.SIGALRM, before)
        after.callback(_disarm)
        try:
            signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN)
            yield
            _disarm()
        except OutOfTime:
            _disarm()  # before anything else, since the next signal would raise outside
            raise


def _ring(*_: Any) -> None:
    raise OutOfTime


def _disarm() -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)


@contextmanager
def _last_words() -> Iterator[Any]:
    """The file whose text Spark adds to its error when this process ends; without one, the log."""
    folder = os.environ.get("PYTHON_FAULTHANDLER_DIR")
    if folder is None:
        yield sys.__stderr__
        return
    with open(os.path.join(folder, str(os.getpid())), "a") as file:  # noqa: PTH118, PTH123  pyspark has it so, and it is called often
        yield file
