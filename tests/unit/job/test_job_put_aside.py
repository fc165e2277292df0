"""Files and parts of files that cannot be read, and what becomes of them when they can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from distribution_job.alert_files import AlertFile, divided
from distribution_job.backlog import Backlog, Entry
from distribution_job.distributor import Result
from distribution_job.drain import Drain
from distribution_job.failures import Failure, FileError, Reason
from distribution_job.leftovers import Leftovers
from distribution_job.outputs import Output
from distribution_job.progress import Counts, Progress
from distribution_job.quarantine import Quarantine

GOOD = Output("good", "g")
WHOLE = AlertFile("file:/data/a.parquet", 1, 100)
FIRST, SECOND, THIRD = divided(replace(WHOLE, end=9, rows=9), 3)
BROKEN = Failure(Reason.FILE_UNREADABLE, "damaged")


class Batches:
    """Notes what is read again, of which `aside` cannot be; an entry's files cannot be read, but for `given_first`, while `is_damaged`."""

    def __init__(self, backlog: Backlog) -> None:
        self.backlog = backlog
        self.given_first: list[AlertFile] = []
        self.given: list[AlertFile] = []
        self.aside: set[AlertFile] = set()
        self.is_damaged = False

    def run(self, key: str, files: Sequence[AlertFile], outputs: Sequence[Output]) -> Result:
        self.given += files
        return Result(aside=self.aside)

    def retry(self, entry: Entry, output: Output) -> Result:
        self.backlog.discard(output.name, entry.key, self.given_first)
        if self.is_damaged:
            raise FileError(Reason.FILE_UNREADABLE, WHOLE.path, "damaged")
        return Result(counts={"good": Counts(1, 1)})


class Case:
    def __init__(self, folder: Path) -> None:
        self.backlog, self.quarantine = Backlog(folder / "b", ["good"]), Quarantine(folder / "q")
        self.batches, self.now = Batches(self.backlog), WHOLE

    def step(self) -> list[AlertFile]:
        """What is put aside after a look."""
        config: Any = SimpleNamespace(outputs=[GOOD])
        batches: Any = self.batches
        find = lambda path: self.now  # noqa: E731
        Leftovers(config, batches, self.backlog, self.quarantine, Progress(["good"]), Drain(), find).step()
        return [held.file for held in self.quarantine.held()]


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


def test_of_a_file_that_was_distributed_in_part_the_rest_is_read_when_it_is_mended(case: Case) -> None:
    for part in (SECOND, THIRD):
        case.quarantine.put(part, BROKEN)
    case.now = replace(WHOLE, modified=2)
    assert case.step() == []
    assert case.batches.given == [replace(SECOND, modified=2), replace(THIRD, modified=2)]


def test_a_mended_file_of_which_parts_are_put_aside_is_not_put_aside_as_a_whole(case: Case) -> None:
    case.quarantine.put(WHOLE, BROKEN)
    case.now = replace(WHOLE, modified=2)
    case.batches.aside = {THIRD}
    assert case.step() == []
    case.batches.aside = {WHOLE}
    case.quarantine.put(WHOLE, BROKEN)
    assert case.step() == [WHOLE]


def test_parts_that_wait_for_an_output_are_put_aside_together(case: Case) -> None:
    case.backlog.put("good", "batch-1", [FIRST, SECOND, THIRD])
    case.backlog.put("good", "batch-2", [SECOND, THIRD])
    assert case.backlog.pending("good") == 2
    case.batches.is_damaged, case.batches.aside = True, {WHOLE, SECOND, THIRD}
    assert case.step() == [WHOLE, SECOND, THIRD]
    assert case.backlog.pending("good") == 0


def test_a_part_that_an_output_has_been_given_is_not_put_aside_with_the_rest(case: Case) -> None:
    case.backlog.put("good", "batch-1", [WHOLE])
    case.batches.is_damaged, case.batches.given_first = True, [FIRST]
    assert case.step() == [replace(SECOND, end=THIRD.end)]
    assert case.backlog.pending("good") == 0
