"""How far the stream is behind its source, looked at from a thread of its own, so that it is known while a batch is held up."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from distribution_job.alert_files import AlertFile
from distribution_job.drain import Drain
from distribution_job.failures import one_line
from distribution_job.waiting_files import WaitingFiles

LOG = logging.getLogger(__name__)
_SHORTEST_SECONDS, _LONGEST_SECONDS = 2.0, 30.0  # between two looks
_SHARE = 20  # of the time, one part in so many is spent on looking


@dataclass(frozen=True)
class Lag:
    """What has not been distributed yet.

    `files`: those that discovery has found or will find, and their length in bytes. `oldest`: when the oldest of them was modified, in ms
    since 1970, None when there is none. `messages`: of a topic as the source, those that are not among the files; None when not known.
    """

    files: int = 0
    length: int = 0
    oldest: int | None = None
    messages: int | None = None


class LagWatch:
    """Tells `report` of the lag, as often as it is another one; None: it is not known any more."""

    def __init__(
        self,
        waiting: WaitingFiles,
        behind: Callable[[], int | None] | None,
        report: Callable[[Lag | None], None],
        interval: float,
        drain: Drain,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`behind`: how many messages of the source are not staged yet; it may block and raise. `interval`: seconds between two looks of discovery."""
        self._waiting = waiting
        self._behind = behind
        self._report = report
        # A stream that fetches its alerts once a day is behind for most of it, and is to say so.
        self._interval = min(max(_SHORTEST_SECONDS, interval), _LONGEST_SECONDS)
        self._drain = drain
        self._clock = clock
        self._lock = threading.Lock()
        self._messages: int | None = None
        self._last: Lag | None = None
        self._is_lost = False
        self._thread = threading.Thread(target=self._run, name="lag", daemon=True)

    def start(self) -> None:
        """Begin to look, if it has not begun; no batch may have begun before."""
        if self._thread.ident is None:
            self._thread.start()

    def found(self, files: Iterable[AlertFile]) -> None:
        """A batch begins with these files."""
        self._waiting.found(files)
        self._say()

    def distributed(self, files: Iterable[AlertFile]) -> None:
        """The batch that had these files has ended."""
        self._waiting.distributed(files)
        self._say()

    def step(self) -> float:
        """Look; the seconds until it is time again."""
        begun = self._clock()
        self._waiting.look()
        took = self._clock() - begun
        self._say()
        if self._behind is not None:
            try:
                self._messages = self._behind()
            except Exception:  # noqa: BLE001  whoever fetches the messages says so
                self._messages = None
            self._say()
        return max(self._interval, _SHARE * took)

    def _say(self) -> None:
        with self._lock:
            if self._is_lost:
                return
            files = self._waiting.files()
            oldest = min((file.modified for file in files), default=None)
            lag = Lag(len(files), sum(file.length for file in files), oldest, self._messages)
            if lag != self._last:
                self._last = lag
                self._report(lag)

    def _run(self) -> None:
        try:
            while not self._drain.wait(self.step()):
                pass
        except Exception as error:  # noqa: BLE001  whatever it is, the alerts go on
            LOG.warning("how many files wait is not known any more: %s", one_line(str(error), 300))
            with self._lock:
                self._is_lost = True
                self._report(None)
