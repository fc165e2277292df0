"""An output whose filter hangs holds up the others as seldom as can be, and gets what it can be given."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from distribution_job.alert_files import AlertFile
from distribution_job.backlog import Backlog, Entry
from distribution_job.batches import Batches
from distribution_job.delivery import AtLeastOnce
from distribution_job.distributor import Prepared, Result
from distribution_job.drain import Drain
from distribution_job.failures import Failure, Reason
from distribution_job.journal import Journal
from distribution_job.ledger import Ledger
from distribution_job.leftovers import Leftovers
from distribution_job.outputs import Output
from distribution_job.progress import Counts, Progress
from distribution_job.quarantine import Quarantine
from distribution_job.sender import Sender

LATE = Failure(Reason.FILTER_TIMED_OUT, "The filter took longer than 60 s")
GOOD, SLOW = Output("good", "g"), Output("slow", "s", python="a.slow")
FILES = tuple(AlertFile(f"file:/data/{name}.parquet", 1, 10) for name in "abc")
ENDED = (
    'Python worker exited unexpectedly (crashed): Timeout (0:00:02)!\nThread 0x7f (most recent call first):\n  File "/x/slow.py", '
    'line 7 in turn\n  File "/x/slow.py", line 3 in slow\n  File "/y/distribution_job/filter_udf.py", line 9 in a.slow\n'
)


class Distributor:
    """Notes which outputs have a pass; `hangs` says how the slow one's ends: not at all, with an error, or by its worker's end."""

    def __init__(self, hangs: str) -> None:
        self.hangs = hangs
        self.passes: list[list[str]] = []
        self.delivery = SimpleNamespace(restart=lambda: None, is_atomic=True)

    def prepare(self, alerts: Any, outputs: Sequence[Output], apart: Any = (), fresh: bool = False) -> Prepared:
        together: Any = (
            SimpleNamespace(outputs=[SimpleNamespace(output=output) for output in outputs]) if outputs else None
        )
        return Prepared({}, together, ())

    def send(self, alerts: Any, single: Any) -> Result:
        names = [routed.output.name for routed in single.outputs]
        self.passes.append(names)
        is_late = "slow" in names and self.hangs != "no"
        if is_late and self.hangs == "for good":
            raise RuntimeError(ENDED)
        return Result(5, {name: Counts(1, 1) for name in names}, {"slow": LATE} if is_late else {})

    rehearse = send


@pytest.mark.parametrize("hangs", ["until a signal", "for good"])
def test_it_has_no_pass_until_one_of_its_own_goes_well(hangs: str) -> None:
    distributor = Distributor(hangs)
    sender = Sender(distributor)  # type: ignore[arg-type]

    def batch() -> Result:
        return sender.send(None, FILES, [GOOD, SLOW])  # type: ignore[arg-type]

    assert batch().failures["slow"].reason is Reason.FILTER_TIMED_OUT
    assert distributor.passes[0] == ["good", "slow"]
    del distributor.passes[:]
    result = batch()
    assert (distributor.passes, result.failures.keys(), result.rows) == ([["good"]], {"slow"}, 5)
    assert sender.send_rehearsed(None, FILES, SLOW).failures["slow"].reason is Reason.FILTER_TIMED_OUT  # type: ignore[arg-type]
    assert batch().failures.keys() == {"slow"}
    distributor.hangs = "no"
    assert sender.send_rehearsed(None, FILES, SLOW).failures == {}  # type: ignore[arg-type]
    del distributor.passes[:]
    assert (batch().failures, distributor.passes) == ({}, [["good", "slow"]])


def test_a_batch_for_hanging_outputs_alone_waits(caplog: pytest.LogCaptureFixture) -> None:
    sender = Sender(Distributor("for good"))  # type: ignore[arg-type]
    for _ in range(2):
        assert sender.send(None, FILES, [SLOW]).failures.keys() == {"slow"}  # type: ignore[arg-type]


class Attempts:
    """Stands for the batches: entry `batch-1` has the alert that the filter hangs with."""

    def __init__(self, backlog: Backlog, now: list[float]) -> None:
        self.backlog, self.now = backlog, now
        self.tried: list[tuple[float, str]] = []

    def retry(self, entry: Entry, output: Output) -> Result:
        self.tried.append((self.now[0], entry.key))
        if entry.key == "batch-1":
            return Result(failures={"slow": LATE})
        self.backlog.discard("slow", entry.key, entry.files)
        return Result(counts={"slow": Counts(1, 1)})


def test_what_waits_is_tried_ever_more_seldom_and_not_always_the_same_first(tmp_path: Path) -> None:
    backlog, now = Backlog(tmp_path / "backlog", ["slow"]), [0.0]
    for key, file in zip(("batch-1", "batch-2", "batch-3"), FILES, strict=True):
        backlog.put("slow", key, [file])
    attempts = Attempts(backlog, now)
    config: Any = SimpleNamespace(outputs=[SLOW])
    leftovers = Leftovers(
        config,
        attempts,
        backlog,
        Quarantine(tmp_path / "q"),
        Progress(["slow"]),
        Drain(),
        lambda path: None,
        lambda: now[0],
    )  # type: ignore[arg-type]
    leftovers.note(Result(failures={"slow": LATE}))
    for now[0] in range(0, 4 * 3600, 10):
        leftovers.step()
        leftovers.note(Result(failures={"slow": LATE}))  # the batches go on meanwhile
    assert attempts.tried[:4] == [(60.0, "batch-1"), (180.0, "batch-2"), (180.0, "batch-3"), (180.0, "batch-1")]
    times = [time for time, _ in attempts.tried[3:]]
    assert [later - time for time, later in pairwise(times)] == [240, 480, 960, 1920, 3600, 3600]
    assert backlog.pending("slow") == 1


class Mixed:
    """Files of which the first has a column that an output cannot publish; a table of several files has the columns of all."""

    def tables(self, files: Sequence[AlertFile]) -> Any:
        yield tuple(files), Table(files)

    def alike(self, files: Sequence[AlertFile]) -> Any:
        for group in (files[:1], files[1:]):
            yield tuple(group), Table(group)


class Table:
    def __init__(self, files: Sequence[AlertFile]) -> None:
        self.files = files
        self.schema = SimpleNamespace(json=lambda: "bad" if FILES[0] in files else "good")


class Choosy(Distributor):
    """`slow` cannot publish the first file's column."""

    def __init__(self, journal: Journal) -> None:
        super().__init__("no")
        self.delivery: Any = AtLeastOnce(None, journal)  # type: ignore[arg-type]

    def prepare(self, alerts: Any, outputs: Sequence[Output], apart: Any = (), fresh: bool = False) -> Prepared:
        bad = {"slow": Failure(Reason.ENCODING_FAILED, "The column bad name has a name that Avro does not allow")}
        failures = bad if alerts.schema.json() == "bad" and SLOW in outputs else {}
        return Prepared(
            failures, super().prepare(alerts, [one for one in outputs if one.name not in failures]).together, ()
        )


def test_a_column_of_one_file_holds_up_that_file_alone(tmp_path: Path) -> None:
    backlog = Backlog(tmp_path / "backlog", ["good", "slow"])
    journal = Journal(backlog, Ledger(tmp_path / "ledger"))
    batches = Batches(Mixed(), Choosy(journal), Quarantine(tmp_path / "q"), Drain(), lambda failure: None)  # type: ignore[arg-type]
    result = batches.run("batch-1", FILES, [GOOD, SLOW])
    assert [entry.files for entry in backlog.entries("slow")] == [FILES[:1]]
    assert result.failures.keys() == {"slow"}
    assert (result.counts["good"].published, result.counts["slow"].published, result.rows) == (1, 1, 5)
    assert backlog.entries("good") == []
