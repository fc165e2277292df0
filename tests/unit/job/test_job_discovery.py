"""What discovery gives, once each, also when it is cut off anywhere."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from distribution_job.alert_files import AlertFile
from distribution_job.discovery import Discovery
from distribution_job.file_log import FileLog, TwoDrivers, committed
from distribution_job.stages import Stage
from testbed.fixtures import wait_for

Batches = list[tuple[int, list[str]]]


class Place:
    """A folder of files and a checkpoint."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.spark = spark
        self.source = folder / "science"
        self.source.mkdir()
        self.checkpoint = folder / "checkpoint"

    def put(self, *names: str) -> None:
        for name in names:
            (self.source / f"{name}.parquet").write_bytes(b"whatever")

    def discovery(self, files_per_batch: int = 2) -> Discovery:
        return Discovery(self.spark, str(self.source), self.checkpoint, files_per_batch, 0)


@pytest.fixture
def place(spark: SparkSession, tmp_path: Path) -> Place:
    return Place(spark, tmp_path)


def all_of(discovery: Discovery) -> Batches:
    found: Batches = []
    while discovery.give_next(lambda number, files: found.append((number, names(files)))):
        pass
    return found


def names(files: Sequence[AlertFile]) -> list[str]:
    return [Path(file.path).stem for file in files]


def fail(number: int, files: Sequence[AlertFile]) -> None:
    raise RuntimeError(f"cut off in {number}")


def test_batches_are_numbered_and_no_larger_than_they_may_be(place: Place) -> None:
    place.put("a", "b", "c")
    discovery = place.discovery()
    assert not discovery.began()
    given = all_of(discovery)
    assert [number for number, _ in given] == [0, 1]
    assert sorted(name for _, files in given for name in files) == ["a", "b", "c"]
    assert discovery.began()
    place.put("d")
    assert all_of(place.discovery()) == [(2, ["d"])]


def test_a_batch_that_was_cut_off_is_given_again_as_it_was(place: Place) -> None:
    place.put("a", "b")
    discovery = place.discovery()
    with pytest.raises(RuntimeError):
        discovery.give_next(fail)
    place.put("c")
    assert all_of(discovery) == [(0, ["a", "b"]), (1, ["c"])]
    place.put("d", "e")
    with pytest.raises(RuntimeError):
        discovery.give_next(fail)
    (place.source / "d.parquet").unlink()
    assert all_of(place.discovery()) == [(2, ["e"])], "a restart knows of it; what is gone meanwhile is left out"


def test_files_that_could_not_be_written_down_are_not_lost(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.put("a", "b", "c")
    discovery = place.discovery()

    def full(self: FileLog, files: Sequence[AlertFile]) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(FileLog, "begin", full)
        with pytest.raises(sqlite3.OperationalError):
            all_of(discovery)
    assert sorted(name for _, files in all_of(discovery) for name in files) == ["a", "b", "c"]


def test_a_driver_ends_when_another_is_started_on_its_checkpoint(place: Place) -> None:
    place.put("a")
    older = place.discovery()
    newer = place.discovery()
    with pytest.raises(TwoDrivers, match="another driver works on the same checkpoint"):
        all_of(older)
    assert all_of(newer) == [(0, ["a"])]


def test_a_driver_whose_batch_another_has_taken_over_does_not_commit_it(place: Place) -> None:
    place.put("a")
    older = place.discovery()
    with pytest.raises(TwoDrivers):
        older.give_next(lambda number, files: place.discovery().close())
    assert all_of(place.discovery()) == [(0, ["a"])]


def test_it_looks_until_it_is_stopped_and_then_ends_its_batch(place: Place) -> None:
    given: list[str] = []
    discovery = place.discovery(files_per_batch=1)
    looking = discovery.start(lambda number, files: given.extend(names(files)))
    place.put("a")
    wait_for(lambda: given == ["a"], what="the first file was found")
    place.put("b")
    wait_for(lambda: given == ["a", "b"], what="the second file was found")
    looking.stop()
    assert (looking.alive, looking.error, looking.batches) == (False, None, 2)
    place.put("c")
    assert all_of(discovery) == [(2, ["c"])]


def test_what_a_batch_raises_ends_it_and_is_told(place: Place) -> None:
    place.put("a")
    looking = place.discovery().start(fail)
    wait_for(lambda: not looking.alive, what="it has ended")
    assert isinstance(looking.error, RuntimeError)


def test_the_time_that_it_takes_itself_is_told_with_each_batch(place: Place) -> None:
    told: list[Mapping[Stage, float]] = []
    discovery = Discovery(place.spark, str(place.source), place.checkpoint, 2, 0, told.append)
    assert not discovery.give_next(fail)
    assert told == []
    place.put("a")
    all_of(discovery)
    assert [one.keys() for one in told] == [{Stage.LIST, Stage.CHECKPOINT}]


def test_who_reads_the_log_sees_what_is_committed_and_hinders_nobody(place: Place) -> None:
    file = place.checkpoint / "files.db"
    assert committed(file) == []
    place.put("before")
    discovery = place.discovery()
    assert discovery.pass_over() == 1
    place.put("a b", "c")
    assert len(all_of(discovery)) == 1
    place.put("d")
    seen: list[list[str]] = []
    discovery.give_next(lambda number, files: seen.append(names(committed(file))))
    assert seen == [["a b", "c"]]
    assert names(committed(file)) == ["a b", "c", "d"]
    assert not discovery.give_next(fail), "it may still write"
