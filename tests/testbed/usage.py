"""Several test runs may use one testbed: the last one ends it, if a test run and no person started it.

Each holds a shared lock while it uses it. The one that can make its lock exclusive at its end is the last.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass

from testbed.bed import STARTED_BY_TESTS, Bed
from testbed.environment import Environment


@dataclass
class Use:
    """One test run's use of the testbed."""

    bed: Bed
    handle: int
    environment: Environment

    def release(self) -> None:
        """Stop using it; end it if no person wants it and no other test run uses it."""
        try:
            if not (self.bed.state / STARTED_BY_TESTS).exists():
                return
            try:
                fcntl.flock(self.handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            self.bed.down()
        finally:
            os.close(self.handle)


def use(level: str) -> Use:
    """Bring the testbed up to the level, unless it is there already, and use it."""
    bed = Bed()
    file = bed.lock.with_suffix(".users")
    file.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH)
        ran = bed.level() is not None
        environment = bed.up(level)
        if not ran:
            (bed.state / STARTED_BY_TESTS).touch()
    except BaseException:
        os.close(handle)
        raise
    return Use(bed, handle, environment)
