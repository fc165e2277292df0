"""Between the batches: files that an output lacks, and files that could not be read, are tried again."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from py4j.protocol import Py4JJavaError

from distribution_job.alert_files import AlertFile, Find, joined
from distribution_job.backlog import Backlog, Entry
from distribution_job.backoff import Backoff
from distribution_job.batches import Batches
from distribution_job.config import JobConfig
from distribution_job.distributor import Result
from distribution_job.drain import Drain
from distribution_job.failures import BatchError, Failure, FileError, Reason, one_line
from distribution_job.outputs import Output
from distribution_job.progress import Progress
from distribution_job.quarantine import Quarantine, Quarantined

LOG = logging.getLogger(__name__)
QUARANTINE_SECONDS = 15.0  # between two looks at the files put aside
# The alerts themselves are the trouble: a batch that went well says nothing about those that wait.
_IN_THE_ALERTS = {
    Reason.FILTER_RAISED,
    Reason.ENCODING_FAILED,
    Reason.SCHEMA_INCOMPATIBLE,
    Reason.TOO_MANY_MATCHES,
}
# Only another configuration helps, hence a restart; and what of the files could be sent would be sent again each time.
_UNTIL_RESTART = {Reason.ENCODING_FAILED, Reason.SCHEMA_INCOMPATIBLE, Reason.TOO_MANY_MATCHES}
_PAUSES = 2.0, 300.0  # seconds before an output is tried again: the first, the longest
_PAUSES_OF_HANGING = 60.0, 3600.0  # each attempt of one whose filter hangs holds up all others


class Leftovers:
    """`step` is called often by one thread; all work is done under `passes`, the lock that batches hold too."""

    def __init__(
        self,
        config: JobConfig,
        batches: Batches,
        backlog: Backlog,
        quarantine: Quarantine,
        progress: Progress,
        drain: Drain,
        find: Find,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`find`: the file at a path as it is now, None when it is not there."""
        self._config = config
        self._batches = batches
        self._backlog = backlog
        self._quarantine = quarantine
        self._progress = progress
        self._drain = drain
        self._find = find
        self._clock = clock
        self.passes = threading.Lock()
        self._backoffs = {output.name: Backoff(*_PAUSES) for output in config.outputs}
        self._hanging = {output.name: Backoff(*_PAUSES_OF_HANGING) for output in config.outputs}
        self._hung: dict[str, dict[str, float]] = {name: {} for name in self._backoffs}  # entries, and when
        self._due = dict.fromkeys(self._backoffs, float("-inf"))
        self._failures: dict[str, Failure] = {}
        self._look = float("-inf")
        # Discovery never gives a path twice, so a file that was removed is remembered here, should it come back.
        self._gone: set[str] = set()
        self._untried = {held.file.mark for held in quarantine.held()}  # a restart gives each one more chance

    def note(self, result: Result) -> None:
        """Take a batch's result over into the progress and into what is to be tried when."""
        for output in self._config.outputs:
            name = output.name
            if name in result.counts:
                self._progress.count(name, result.counts[name])
            failure, before = result.failures.get(name), self._failures.get(name)
            pending = self._backlog.pending(name)
            if failure is not None:
                if before is None or failure.reason in _UNTIL_RESTART:
                    self._postpone(name, failure)
                self._say(name, failure)
            elif pending and name in result.counts:
                # It works again for these alerts. What waits for it may go at once, unless that failed by itself.
                if before is None or before.reason not in _IN_THE_ALERTS:
                    self._due[name] = float("-inf")
            elif name in result.counts:
                self._say(name, None)
            self._progress.output(name, self._failures.get(name), pending)
        self._say_quarantined()

    def step(self) -> None:
        """Try what is due."""
        for output in self._config.outputs:
            if self._clock() >= self._due[output.name] and self._backlog.pending(output.name):
                self._retry(output)
        if self._clock() >= self._look:
            self._look = self._clock() + QUARANTINE_SECONDS
            for held in self._quarantine.held():
                self._reread(held)

    def _retry(self, output: Output) -> None:
        """Each entry once; one whose alerts fail does not hold up the next, one whose output fails does.

        A filter that hangs may do so for good or with some alerts only, so an entry that it hung with has its turn after the others.
        """
        name, failure = output.name, None
        hung = self._hung[name]
        for entry in sorted(self._backlog.entries(name), key=lambda entry: hung.get(entry.key, 0.0)):
            if self._drain.asked:
                return
            with self.passes:
                failed = self._give(output, entry)
                self._progress.output(name, failed or self._failures.get(name), self._backlog.pending(name))
            failure = failed or failure
            if failed is not None and failed.reason is Reason.FILTER_TIMED_OUT:
                hung[entry.key] = self._clock()
            if failed is not None and failed.reason not in _IN_THE_ALERTS:
                break
        if failure is not None:
            self._postpone(name, failure)
        self._say(name, failure)
        self._progress.output(name, failure, self._backlog.pending(name))

    def _give(self, output: Output, entry: Entry) -> Failure | None:
        try:
            result = self._batches.retry(entry, output)
        except FileError as error:
            # Without those that it has been given just now.
            parts = [file for file in self._backlog.left(entry) if file.path == error.path]
            for file in joined(parts):
                self._quarantine.put(file, error.failure, [output.name])
            self._say_quarantined()
            self._backlog.discard(output.name, entry.key, parts)
            return error.failure if self._backlog.left(entry) else None
        except BatchError as error:
            return error.failure
        failure = result.failures.get(output.name)
        if output.name in result.counts:
            self._progress.count(output.name, result.counts[output.name])
        if failure is None:
            LOG.info("output %s: %d files that waited for it were distributed", output.name, len(entry.files))
        return failure

    def _reread(self, held: Quarantined) -> None:
        try:
            now = self._find(held.file.path)
        except Py4JJavaError as error:  # the file system, not the file: it is looked at again
            LOG.warning("%s cannot be looked at: %s", held.file.path, one_line(str(error), 300))
            return
        self._note_presence(held.file.path, now is not None)
        unchanged = now == held.file.whole and held.file.mark not in self._untried
        self._untried.discard(held.file.mark)
        if now is None or unchanged or self._drain.asked:
            return
        part = held.file
        if part.is_part:
            now = replace(now, begin=part.begin, end=part.end, rows=part.rows)
        wanted = [output for output in self._config.outputs if held.outputs is None or output.name in held.outputs]
        with self.passes:
            result = self._batches.run(f"file-{_mark(now)}", [now], wanted)
            if held.file.mark not in {file.mark for file in result.aside}:
                # Perhaps some of its parts are put aside, and no more the whole.
                self._quarantine.remove(held.file)
            if not result.aside:
                LOG.info("file %s can be read now and was distributed", now.path)
            self.note(result)

    def _note_presence(self, path: str, is_there: bool) -> None:
        """A file that somebody has removed is nobody's trouble any more."""
        if is_there == (path in self._gone):
            self._gone.symmetric_difference_update({path})
            LOG.info("file %s %s", path, "is there again" if is_there else "could not be read and was removed")
            self._say_quarantined()

    def _say_quarantined(self) -> None:
        # One that vanished before it could be read at all stays told of: its alerts have gone to nobody.
        self._progress.quarantined(
            [
                held
                for held in self._quarantine.held()
                if held.file.path not in self._gone or held.failure.reason is Reason.FILE_GONE
            ]
        )

    def _postpone(self, name: str, failure: Failure) -> None:
        if failure.reason in _UNTIL_RESTART:
            pause = float("inf")
        elif failure.reason is Reason.FILTER_TIMED_OUT:
            pause = self._hanging[name].next()
        else:
            pause = self._backoffs[name].next()
        self._due[name] = self._clock() + pause

    def _say(self, name: str, failure: Failure | None) -> None:
        """Log a failure when it is new and when it is over."""
        before = self._failures.get(name)
        if failure is None:
            if self._failures.pop(name, None) is not None:
                LOG.info("output %s works again", name)
            self._backoffs[name].reset()
            self._hanging[name].reset()
        else:
            if before is None or before.reason != failure.reason:
                LOG.warning("output %s: %s: %s", name, failure.reason, failure.message)
            self._failures[name] = failure


def _mark(file: AlertFile) -> str:
    return hashlib.sha256(f"{file.mark} {file.modified} {file.length}".encode()).hexdigest()[:16]
