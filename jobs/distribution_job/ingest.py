"""Staging from a source, in a thread of its own, so that reading and distributing go on side by side."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

from distribution_job import diagnosis
from distribution_job.alert_files import AlertFile
from distribution_job.backlog import Backlog
from distribution_job.backoff import Backoff
from distribution_job.drain import Drain, Draining
from distribution_job.failures import Failure, JobError, Reason
from distribution_job.quarantine import Quarantine
from distribution_job.sources import Source
from distribution_job.staging import Staging

LOG = logging.getLogger(__name__)
_SHORTEST_SECONDS = 0.5  # between two looks at the source
_END_SECONDS = 60.0


class Ingest:
    """Looks at the source every `interval` seconds until the job is to end; what fails is tried again, after a pause."""

    def __init__(
        self,
        source: Source,
        staging: Staging,
        interval: float,
        backlog: Backlog,
        quarantine: Quarantine,
        drain: Drain,
        report: Callable[[Failure | None], None],
    ) -> None:
        """`interval`: seconds between two looks at the source. `report` is told what keeps the source from being read, and None when it is read."""
        self._source = source
        self._staging = staging
        self._backlog = backlog
        self._quarantine = quarantine
        self._interval = max(_SHORTEST_SECONDS, interval)
        self._drain = drain
        self._report = report
        self._seen: object = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="ingest", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def check(self) -> None:
        """Raise what has ended the thread before its time."""
        if self._error is not None:
            raise self._error

    def clean(self, batch: int) -> None:
        """Before discovery's batch of this number, when Spark has committed those before: remove what nobody needs any more."""
        self._staging.clean(batch, {*self._backlog.files(), *(held.file for held in self._quarantine.held())})

    def distributed(self, batch: int, files: Iterable[AlertFile]) -> None:
        """Note that discovery's batch of this number had these files, and has been distributed."""
        self._staging.note(batch, files)

    def end(self) -> None:
        """Wait for the thread's end; a batch that it cannot finish in time is begun anew at the next start."""
        self._thread.join(_END_SECONDS)

    def _run(self) -> None:
        backoff = Backoff()
        while not self._drain.asked:
            pause = self._interval
            try:
                self._look()
                backoff.reset()
                self._report(None)
            except Draining:
                return
            except Exception as error:  # noqa: BLE001  whatever a source raises, the stream is to survive it
                if self._drain.asked:
                    return
                if diagnosis.of_two_drivers(error):
                    self._error = error
                    return
                failure = _failure(error)
                pause = backoff.next()
                LOG.warning("%s: %s (again in %.0f s)", failure.reason, failure.message, pause)
                self._report(failure)
            self._drain.wait(pause)

    def _look(self) -> None:
        self._source.settle(self._staging)
        state = self._source.state()
        if state is None or state == self._seen:
            return
        self._source.bring(self._staging)
        self._seen = state


def _failure(error: Exception) -> Failure:
    if isinstance(error, JobError):
        return error.failure
    return Failure(Reason.SOURCE_UNAVAILABLE, f"The source cannot be read: {diagnosis.sentence(error)}")
