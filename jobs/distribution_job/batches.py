"""One batch of files to many outputs, until every output has them or they are remembered on disk for it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import astuple
from functools import partial

from py4j.protocol import Py4JNetworkError
from pyspark.sql import DataFrame

from distribution_job import read_errors
from distribution_job.alert_files import AlertFile, all_without, joined
from distribution_job.alert_reader import AlertReader
from distribution_job.backlog import Entry
from distribution_job.backoff import Backoff
from distribution_job.distributor import Distributor, Result
from distribution_job.drain import Drain
from distribution_job.failures import BatchError, Failure, FileError, Reason
from distribution_job.journal import Effect
from distribution_job.ledger import Share, filter_digest, now_ms
from distribution_job.outputs import Output
from distribution_job.quarantine import Quarantine
from distribution_job.sender import Sender, failure_of
from distribution_job.transactions import Fenced

LOG = logging.getLogger(__name__)
_FILES_SAID = 20
_OF_COLUMNS = {Reason.ENCODING_FAILED, Reason.SCHEMA_INCOMPATIBLE}


class Batches:
    """Runs batches. When `run` returns, nothing of the batch is only in memory.

    The order of effects: what was sent is in Kafka, then what was not is on disk, then the caller commits. A crash before
    the last repeats the batch, or what of it the delivery's journal does not have; one between the others loses nothing.
    """

    def __init__(
        self,
        reader: AlertReader,
        distributor: Distributor,
        quarantine: Quarantine,
        drain: Drain,
        report: Callable[[Failure | None], None],
    ) -> None:
        """`report` is told what keeps a batch from going on, and None when it goes on."""
        self._reader = reader
        self._sender = Sender(distributor)
        self._delivery = distributor.delivery
        self._quarantine = quarantine
        self._drain = drain
        self._report = report
        # Outputs, and columns that they cannot publish though all files have the same.
        self._alike: set[tuple[str, str]] = set()

    def run(self, key: str, files: Sequence[AlertFile], outputs: Sequence[Output]) -> Result:
        """Distribute the files; `key` names the backlog's entry for outputs that fail.

        Repeats with pauses while anything fails that is not one output's or one file's fault.
        Raises Draining when the job is to end while it waits for that.
        """
        left, total, backoff = files, Result(), Backoff()
        blamed: FileError | None = None
        journal = self._delivery.journal
        journal.begin(key)
        while True:
            try:
                self._delivery.recover()
                missing = journal.missing(key, left, outputs)
                if blamed is not None:
                    aside = self._put_aside(blamed, missing)
                    total.aside |= aside
                    left = all_without(left, aside)
                    blamed = None
                    continue
                if not missing:
                    self._report(None)
                    return total
                some, lacking = missing[0]
                for group, alerts in self._reader.tables(self._cut(some)):
                    result = self._give(key, group, lacking, partial(self._sender.send, alerts, group, lacking))
                    self._add(total, key, group, alerts, lacking, result)
            except FileError as error:
                blamed = error
            except (Py4JNetworkError, Fenced):
                raise  # Spark's JVM is gone, and with it all that could be tried again here; or this driver may not go on
            except Exception as error:  # noqa: BLE001  whatever it is, the batch must not be lost for it
                failure = failure_of(error)
                pause = backoff.next()
                LOG.warning("batch %s: %s: %s (again in %.0f s)", key, failure.reason, failure.message, pause)
                self._report(failure)
                self._drain.pause(pause)

    def retry(self, entry: Entry, output: Output) -> Result:
        """Give an entry's files to the output that failed, after a rehearsal and without repetition.

        A filter that raises on some alerts only would otherwise publish the others again at every attempt.
        Raises FileError or BatchError.
        """
        total = Result()
        try:
            self._delivery.recover()
            # Which may have been what a driver that was lost had given it already.
            left: Sequence[AlertFile] = self._delivery.journal.waiting(entry)
            while left:
                cut = self._cut(left)
                for group, alerts in self._reader.tables(cut):
                    send = partial(self._sender.send_rehearsed, alerts, group, output)
                    result = self._give(entry.key, group, [output], send, is_retry=True)
                    self._add(total, entry.key, group, alerts, [output], result)
                left = all_without(left, cut)
        except (FileError, Py4JNetworkError, Fenced):
            raise
        except Exception as error:
            raise BatchError(*astuple(failure_of(error))) from error
        return total

    def _give(
        self,
        key: str,
        files: Sequence[AlertFile],
        outputs: Sequence[Output],
        send: Callable[[], Result],
        is_retry: bool = False,
    ) -> Result:
        """One delivery of the files to the outputs, which `send` does."""
        result, begun = Result(), now_ms()

        def sent() -> Effect:
            result.add(send())
            names = tuple(output.name for output in outputs)
            return Effect(key, tuple(files), names, tuple(result.failures), is_retry, begun, _shares(result, outputs))

        self._delivery.carry_out(key, sent)
        for trouble in result.troubles:
            LOG.warning("%s: %s", _named(files), trouble)
        return result

    def _add(
        self,
        total: Result,
        key: str,
        files: Sequence[AlertFile],
        alerts: DataFrame,
        outputs: Sequence[Output],
        result: Result,
    ) -> None:
        """Add a delivery's result to `total`, after another attempt for those who could not publish a table because of its columns.

        It has the columns of all its files, so that one file's would hold up all of them.
        """
        mixed = []
        for output in outputs:
            failure = result.failures.get(output.name)
            # With counts it had a pass, so it was not its columns.
            is_of_columns = failure is not None and failure.reason in _OF_COLUMNS and output.name not in result.counts
            if is_of_columns and len(files) > 1 and (output.name, alerts.schema.json()) not in self._alike:
                mixed.append(output)
                del result.failures[output.name]
        total.add(result)
        for output in mixed:
            total.add(self._sort_out(key, files, output))

    def _sort_out(self, key: str, files: Sequence[AlertFile], output: Output) -> Result:
        """Give an output those of the files that wait for it in the backlog whose columns are not to blame."""
        total, parts = Result(), list(self._reader.alike(files))
        if len(parts) == 1:
            self._alike.add((output.name, parts[0][1].schema.json()))
        for group, alerts in parts:
            send = partial(self._sender.send_rehearsed, alerts, group, output)
            part = self._give(key, group, [output], send, is_retry=True)
            part.rows = 0  # they are counted already
            total.add(part)
        return total

    def _cut(self, files: Sequence[AlertFile]) -> Sequence[AlertFile]:
        """The first files, or parts of them, as many as one delivery should have."""
        # Only what is one transaction lies in the driver's memory.
        return self._delivery.cut(self._reader.parts(files) if self._delivery.is_atomic else files)

    def _put_aside(
        self, error: FileError, missing: Sequence[tuple[Sequence[AlertFile], Sequence[Output]]]
    ) -> set[AlertFile]:
        """Quarantine the file, and any other of the missing that cannot be read either, so that the repeated pass is the last."""
        lacking = {file: tuple(output.name for output in outputs) for files, outputs in missing for file in files}
        aside: set[AlertFile] = set()
        blamed: FileError | None = error
        while blamed is not None:
            parts = [file for file in lacking if file.path == blamed.path]
            again = self._check(parts[:1])
            # A disk or a network that failed for a moment is no reason to put a file aside.
            if again is not None:
                LOG.warning("%s: %s", again.failure.reason, again.failure.message)
                by_outputs: dict[tuple[str, ...], list[AlertFile]] = {}
                for part in parts:
                    by_outputs.setdefault(lacking.pop(part), []).append(part)
                for names, some in by_outputs.items():
                    for file in joined(some):
                        self._quarantine.put(file, again.failure, names)
                        aside.add(file)
            elif blamed is not error:
                break
            blamed = self._check(sorted(lacking)) if lacking else None
        return aside

    def _check(self, files: Sequence[AlertFile]) -> FileError | None:
        """Read every byte of the files; the first that cannot be read."""
        try:
            for group, alerts in self._reader.tables(files):
                try:
                    alerts.write.format("noop").mode("overwrite").save()
                except Exception as error:
                    blamed = read_errors.unreadable(error, group)
                    if blamed is None:
                        raise
                    return blamed
        except FileError as error:
            return error
        return None


def _shares(result: Result, outputs: Sequence[Output]) -> dict[str, Share]:
    return {
        output.name: Share(output.topic, filter_digest(output), counts.matched, counts.published, counts.dropped)
        for output in outputs
        if (counts := result.counts.get(output.name)) is not None
    }


def _named(files: Sequence[AlertFile]) -> str:
    more = f" and {len(files) - _FILES_SAID} more" if len(files) > _FILES_SAID else ""
    return f"{', '.join(file.path for file in files[:_FILES_SAID])}{more}"
