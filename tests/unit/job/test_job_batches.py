"""The order of effects: whatever stops a batch, it is either on disk or not committed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from distribution_job import diagnosis
from distribution_job.alert_files import AlertFile, divided
from distribution_job.backlog import Backlog
from distribution_job.batches import Batches
from distribution_job.delivery import AtLeastOnce
from distribution_job.distributor import Prepared, Result
from distribution_job.drain import Drain, Draining
from distribution_job.failures import BatchError, Failure, FileError, Reason
from distribution_job.journal import Effect, Journal
from distribution_job.ledger import Ledger
from distribution_job.outputs import Output
from distribution_job.plan import Routed
from distribution_job.progress import Counts, Progress
from distribution_job.quarantine import Quarantine
from distribution_job.topics import Topic

A, B = (AlertFile(f"file:/data/{name}.parquet", 1, 10) for name in "ab")
OUTPUTS = [Output("good", "t"), Output("bad", "t")]
TOPIC = Failure(Reason.TOPIC_UNAVAILABLE, "gone")


class Table:
    """Alerts that can be read, or not."""

    def __init__(self, files: Sequence[AlertFile], broken: set[AlertFile]) -> None:
        self._bad = next((file for file in files if file.whole in broken), None)
        self.write = self

    def format(self, kind: str) -> Table:
        return self

    def mode(self, kind: str) -> Table:
        return self

    def save(self) -> None:
        if self._bad:
            raise RuntimeError(f"[FAILED_READ_FILE.NO_HINT] reading file {self._bad.path}.")


class Reader:
    def __init__(self, broken: set[AlertFile]) -> None:
        self.broken = broken
        self.read: list[AlertFile] = []

    def tables(self, files: Sequence[AlertFile]) -> Any:
        self.read += files
        yield tuple(files), Table(files, self.broken)

    def parts(self, files: Iterable[AlertFile]) -> Any:
        """Divides the first file into threes."""
        for file in files:
            yield from divided(replace(A, end=9, rows=9), 3) if file == A else [file]


class Sent:
    """Stands for the distributor; `raises` are the errors of the next attempts."""

    def __init__(self, journal: list[str], raises: list[Exception] | None, kept: Journal) -> None:
        self.journal = journal
        self.delivery = AtLeastOnce(None, kept)  # type: ignore[arg-type]
        self.raises = raises or []

    def prepare(self, alerts: Any, outputs: Any, apart: Any = (), fresh: bool = False) -> Prepared:
        if self.raises:
            raise self.raises.pop(0)
        return Prepared({"bad": TOPIC}, object(), ())  # type: ignore[arg-type]

    def send(self, alerts: Table, single: Any) -> Result:
        alerts.save()
        self.journal.append("sent")
        return Result(10, {"good": Counts(3, 3, 0)})


class Writes(Backlog):
    """A backlog that notes, or refuses, what is put into it."""

    journal: list[str]
    full = False

    def put(self, *args: Any) -> None:
        if self.full:
            raise OSError("no space left")
        self.journal.append("backlog")
        super().put(*args)


def made(tmp_path: Path, raises: list[Exception] | None = None, broken: set[AlertFile] | None = None) -> Any:
    journal: list[str] = []
    backlog = Writes(tmp_path / "backlog", ["good", "bad"])
    backlog.journal = journal
    quarantine = Quarantine(tmp_path / "quarantine")
    drain, said = Drain(), []
    drain.wait = lambda seconds: drain.asked  # type: ignore[method-assign]
    sent = Sent(journal, raises, Journal(backlog, Ledger(tmp_path / "ledger")))
    batches = Batches(Reader(broken or set()), sent, quarantine, drain, said.append)  # type: ignore[arg-type]
    return batches, backlog, quarantine, drain, journal, said


def test_what_an_output_lacks_is_on_disk_before_the_batch_returns(tmp_path: Path) -> None:
    batches, _, _, _, journal, said = made(tmp_path)
    result = batches.run("batch-1", [A, B], OUTPUTS)
    assert journal == ["sent", "backlog"]
    assert (result.rows, result.failures, result.counts["good"].published) == (10, {"bad": TOPIC}, 3)
    assert Backlog(tmp_path / "backlog", ["bad"]).entries("bad")[0].files == (A, B)
    assert said == [None]


def test_a_batch_whose_backlog_cannot_be_written_is_not_committed(tmp_path: Path) -> None:
    batches, backlog, _, drain, _, said = made(tmp_path)
    backlog.full = True
    drain.pause = lambda seconds: (_ for _ in ()).throw(Draining)
    with pytest.raises(Draining):
        batches.run("batch-1", [A], OUTPUTS)
    assert "no space left" in said[0].message


def test_a_batch_is_repeated_until_kafka_is_back(tmp_path: Path) -> None:
    away = [BatchError(Reason.KAFKA_UNAVAILABLE, "away") for _ in range(3)]
    batches, _, _, _, journal, said = made(tmp_path, [*away, RuntimeError("something else")])
    batches.run("batch-1", [A], OUTPUTS)
    assert [failure and failure.reason for failure in said] == [Reason.KAFKA_UNAVAILABLE] * 3 + [
        Reason.BATCH_FAILED,
        None,
    ]
    assert journal == ["sent", "backlog"]


def test_a_batch_that_waits_for_kafka_ends_when_the_job_is_to_end(tmp_path: Path) -> None:
    batches, _, _, drain, journal, _ = made(tmp_path, [BatchError(Reason.KAFKA_UNAVAILABLE, "away")] * 9)
    drain.ask()
    with pytest.raises(Draining):
        batches.run("batch-1", [A], OUTPUTS)
    assert journal == []


@pytest.mark.parametrize("broken", [{A}, {B}, {A, B}])
def test_files_that_cannot_be_read_are_on_disk_and_the_others_are_sent(tmp_path: Path, broken: set[AlertFile]) -> None:
    batches, _, _, _, journal, _ = made(tmp_path, broken=broken)
    result = batches.run("batch-1", [A, B], OUTPUTS)
    held = Quarantine(tmp_path / "quarantine").held()
    assert {one.file for one in held} == result.aside == broken
    assert all(one.outputs == ("bad", "good") for one in held)
    assert journal == ([] if len(broken) == 2 else ["sent", "backlog"])


@pytest.fixture
def atomic(monkeypatch: pytest.MonkeyPatch) -> None:
    """A delivery's messages lie in memory, so large files are divided."""
    monkeypatch.setattr(AtLeastOnce, "is_atomic", True)


@pytest.mark.usefixtures("atomic")
def test_a_large_file_is_put_aside_as_one(tmp_path: Path) -> None:
    batches, _, _, _, journal, _ = made(tmp_path, broken={A})
    result = batches.run("batch-1", [A, B], OUTPUTS)
    assert [one.file for one in Quarantine(tmp_path / "quarantine").held()] == [A]
    assert result.aside == {A}
    assert journal == ["sent", "backlog"]


@pytest.mark.usefixtures("atomic")
def test_of_a_large_file_that_breaks_meanwhile_the_rest_is_put_aside(tmp_path: Path) -> None:
    batches, *_ = made(tmp_path, broken={A})
    first, *_ = divided(replace(A, end=9, rows=9), 3)
    batches._delivery.journal.settle(Effect("batch-1", (first,), ("good", "bad")))
    result = batches.run("batch-1", [A, B], OUTPUTS)
    held = Quarantine(tmp_path / "quarantine").held()
    assert [one.file for one in held] == [replace(A, begin=3, end=9, rows=9)] == sorted(result.aside)
    progress = Progress(["good"])
    progress.quarantined([*held, replace(held[0], file=first)])
    assert progress.document()["quarantinedFileCount"] == len(progress.document()["quarantinedFiles"]) == 1


def test_a_disk_that_failed_for_a_moment_puts_no_file_aside(tmp_path: Path) -> None:
    moment = FileError(Reason.FILE_UNREADABLE, A.path, "an I/O error")
    batches, _, _, _, journal, _ = made(tmp_path, [moment])
    result = batches.run("batch-1", [A, B], OUTPUTS)
    assert result.aside == set()
    assert journal == ["sent", "backlog"]


SPARK_ERROR = (
    "An error occurred while calling o9.save.\n: org.apache.spark.SparkException: Job aborted due to stage failure: "
    "Task 1 in stage 2.0 failed 1 times, most recent failure: Lost task 1.0 in stage 2.0 (TID 5) (10.0.0.1 executor "
    "driver): org.apache.kafka.common.errors.TimeoutException: Expiring 3 record(s) for t-0:60000 ms has passed\n"
    "\tat org.apache.x.Y(Z.scala:1)\n\nDriver stacktrace:\n\tat x"
)


@pytest.mark.parametrize(
    ("text", "said"),
    [(SPARK_ERROR, "TimeoutException: Expiring 3 record(s) for t-0:60000 ms has passed"), ("plain", "plain")],
)
def test_errors_are_said_without_their_traces(text: str, said: str) -> None:
    assert diagnosis.sentence(RuntimeError(text)) == said


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ("TimeoutException: Expiring 3 record(s) for ztf-0:60000 ms has passed", {"one"}),
        ("TimeoutException: Expiring 3 record(s) for ztf-sn-11:60000 ms has passed", {"two"}),
        ("TopicAuthorizationException: Not authorized to access topics: [ztf-sn]", {"two"}),
        ("TimeoutException: Topic ztf not present in metadata after 30000 ms.", {"one"}),
        ("RecordTooLargeException: The request included a message larger than the max", set()),
    ],
)
def test_which_output_kafka_complains_about(said: str, named: set[str]) -> None:
    outputs = [Routed(Output("one", "ztf"), 0, Topic("ztf", 4)), Routed(Output("two", "ztf-sn"), 0, Topic("ztf-sn", 4))]
    error = RuntimeError(f"x: org.apache.kafka.common.errors.{said}\n\tat y")
    assert diagnosis.named_by_kafka(error, outputs) == named
