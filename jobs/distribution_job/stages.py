"""How long the stages of a batch take, by the clock of the driver."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum


class Stage(StrEnum):
    """What can be told apart by a clock.

    A pass reads, filters and encodes in one compiled piece of work; to divide its time would be to slow it down.
    """

    LIST = "list"  # the look that has found the new files
    PLAN = "plan"  # the files' footers and the topics are asked, and the pass is made of them
    PASS = "pass"  # noqa: S105  reading, filtering and encoding, and with AtLeastOnce publishing too
    PUBLISH = "publish"  # until the brokers have all messages
    COMMIT = "commit"  # of the transaction
    LEDGER = "ledger"  # the job's notes on disk of what has been delivered
    CHECKPOINT = "checkpoint"  # discovery's notes on disk of what it has found and finished


class StageTimes:
    """Adds up the seconds of each stage; used by one thread at a time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seconds: defaultdict[Stage, float] = defaultdict(float)

    @contextmanager
    def of(self, stage: Stage) -> Iterator[None]:
        """What happens within belongs to the stage, also when it raises."""
        begun = self._clock()
        try:
            yield
        finally:
            self._seconds[stage] += self._clock() - begun

    def take(self) -> dict[Stage, float]:
        """The sums since they were taken last."""
        taken, self._seconds = dict(self._seconds), defaultdict(float)
        return taken
