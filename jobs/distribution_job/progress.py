"""What the job has done and how it fares, as the document that is written to the stream's status."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from distribution_job.failures import Failure, Reason, one_line
from distribution_job.lag import Lag
from distribution_job.quarantine import Quarantined
from distribution_job.stages import Stage

LOG = logging.getLogger(__name__)
QUARANTINED_SHOWN = 20
NOTES_SHOWN = 10


class State(StrEnum):
    STARTING = "Starting"
    WAITING = "Waiting"  # for the folder, or its first file
    RUNNING = "Running"
    DRAINING = "Draining"


@dataclass
class Counts:
    """Alerts of one output since the start.

    `matched` its filter, `published` to its topic, `failed`: they could not be judged by its filter, or not be encoded, because they were
    `too_large`; `dropped`: they were more than it may have of a batch. `published_bytes` are known with ExactlyOnce alone.
    """

    matched: int = 0
    published: int = 0
    failed: int = 0
    dropped: int = 0
    too_large: int = 0
    published_bytes: int = 0

    def add(self, other: Counts) -> None:
        self.matched += other.matched
        self.published += other.published
        self.failed += other.failed
        self.dropped += other.dropped
        self.too_large += other.too_large
        self.published_bytes += other.published_bytes


@dataclass(frozen=True)
class Figures:
    """The numbers of one moment, since the start.

    By output: `counts`, and the files that are `pending`. `stopped`: the outputs that do not work. `quarantined`: the files that cannot be
    read. `failed_attempts`: by what kept all from going on. `ended`: when the last batch did, in seconds since 1970; 0 before the first.
    """

    rows: int
    counts: Mapping[str, Counts]
    pending: Mapping[str, int]
    stopped: frozenset[str]
    quarantined: int
    failed_attempts: Mapping[Reason, int]
    lag: Lag | None
    ended: float


class Progress:
    """Aggregates; `document`, `figures` and `health` may be called from another thread than the rest."""

    def __init__(self, outputs: Iterable[str], now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._state = State.STARTING
        self._counts = {name: Counts() for name in outputs}
        self._failures: dict[str, Failure] = {}
        self._pending = dict.fromkeys(self._counts, 0)
        self._quarantined: list[Quarantined] = []
        self._error: Failure | None = None
        self._source_error: Failure | None = None
        self._failed_attempts: Counter[Reason] = Counter()
        self._lag: Lag | None = None
        self._notes: list[dict[str, str]] = []
        self._rows = 0
        self._ended = 0.0
        self._batch: dict[str, Any] = {}
        self.changed = threading.Event()  # set on any change, cleared by who writes

    def state(self, state: State) -> None:
        with self._lock:
            self._state = state
        self.changed.set()

    def batch(self, batch: int, rows: int, seconds: float, stages: Mapping[Stage, float] | None = None) -> None:
        """A batch of `rows` alerts was committed to Kafka; whatever error the last attempts had is over.

        `stages`: the seconds that its parts took.
        """
        with self._lock:
            now = self._now()
            self._rows += rows
            self._ended = now.timestamp()
            self._error = None
            self._batch = {
                "batchId": batch,
                "batchDurationMilliseconds": round(seconds * 1000),
                "inputRowsPerSecond": round(rows / seconds) if seconds > 0 else 0,
                "lastBatchTime": _written(now),
            }
            if stages:
                self._batch["stageMilliseconds"] = {
                    str(stage): round(part * 1000) for stage, part in sorted(stages.items())
                }
        self.changed.set()

    def count(self, output: str, counts: Counts) -> None:
        with self._lock:
            self._counts[output].add(counts)
        self.changed.set()

    def output(self, output: str, failure: Failure | None, pending: int) -> None:
        """How the output fares since its last attempt, and how many files wait for it."""
        with self._lock:
            if failure is None:
                self._failures.pop(output, None)
            else:
                self._failures[output] = failure
            self._pending[output] = pending
        self.changed.set()

    def error(self, failure: Failure | None) -> None:
        """What keeps the source or all outputs from going on; None: nothing."""
        with self._lock:
            self._error = failure
            self._count_attempt(failure)
        self.changed.set()

    def source(self, failure: Failure | None) -> None:
        """What keeps alerts from being fetched from a source that is no folder; None: nothing. It is told at each look."""
        with self._lock:
            self._count_attempt(failure)
            if failure == self._source_error:
                return
            self._source_error = failure
        self.changed.set()

    def lag(self, lag: Lag | None) -> None:
        """How far the stream is behind its source, when it is not as before; None: it is not known.

        It holds times and no ages, so that a stream in which nothing happens has nothing to write.
        """
        with self._lock:
            self._lag = lag
        self.changed.set()

    def note(self, text: str) -> None:
        """Something that a person should know of, and that nobody has to mend: a column that is new, for example."""
        LOG.warning("%s", text)
        with self._lock:
            self._notes = [*self._notes, {"time": _written(self._now()), "message": one_line(text)}][-NOTES_SHOWN:]
        self.changed.set()

    def quarantined(self, held: Iterable[Quarantined]) -> None:
        with self._lock:
            self._quarantined = list({one.file.path: one for one in held}.values())  # parts of a file are one file
        self.changed.set()

    def health(self) -> tuple[Any, ...]:
        """What is written at once when it changes: the state and the reasons, without counts and texts."""
        with self._lock:
            failing = tuple(sorted((name, failure.reason) for name, failure in self._failures.items()))
            error = self._error or self._source_error
            return self._state, error and error.reason, failing, len(self._quarantined)

    def figures(self) -> Figures:
        """The numbers, as they are now."""
        with self._lock:
            return Figures(
                rows=self._rows,
                counts={name: replace(counts) for name, counts in self._counts.items()},
                pending=dict(self._pending),
                stopped=frozenset(self._failures),
                quarantined=len(self._quarantined),
                failed_attempts=dict(self._failed_attempts),
                lag=self._lag,
                ended=self._ended,
            )

    def document(self) -> dict[str, Any]:
        """The whole as plain JSON values, no floats among them (Kubernetes' server-side apply compares them)."""
        with self._lock:
            document: dict[str, Any] = {"state": self._state.value, "rowsRead": self._rows, **self._batch}
            error = self._error or self._source_error
            if error is not None:
                document["lastError"] = one_line(error.message)
                document["lastErrorReason"] = error.reason.value
            if self._lag is not None:
                document["lag"] = _lag(self._lag)
            if self._notes:
                document["notes"] = list(self._notes)
            document["outputs"] = [self._output(name) for name in self._counts]
            document["quarantinedFiles"] = [
                {"path": held.file.path, "reason": held.failure.reason.value}
                for held in self._quarantined[:QUARANTINED_SHOWN]
            ]
            document["quarantinedFileCount"] = len(self._quarantined)
            return document

    def _count_attempt(self, failure: Failure | None) -> None:
        if failure is not None:
            self._failed_attempts[failure.reason] += 1

    def _output(self, name: str) -> dict[str, Any]:
        counts, failure = self._counts[name], self._failures.get(name)
        document: dict[str, Any] = {
            "name": name,
            "matched": counts.matched,
            "published": counts.published,
            "failed": counts.failed,
            "dropped": counts.dropped,
            "pendingFiles": self._pending[name],
        }
        if failure is not None:
            document |= {"reason": failure.reason.value, "error": one_line(failure.message)}
        return document


def _lag(lag: Lag) -> dict[str, Any]:
    document: dict[str, Any] = {"files": lag.files, "bytes": lag.length}
    if lag.messages is not None:
        document["messages"] = lag.messages
    if lag.oldest is not None:
        document["oldestFileTime"] = _written(datetime.fromtimestamp(lag.oldest / 1000, UTC))
    return document


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
