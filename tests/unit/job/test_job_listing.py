"""Which files a look at a folder finds, and what it looks at."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from distribution_job import listing
from distribution_job.listing import Lister, LocalLister, SparkLister

AN_HOUR_AGO = 1_700_000_000


class Place:
    """A folder that is looked at again and again; what a look has found is known at the next one."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.root.mkdir()
        self.now = 1000.0
        self.asked = 0
        self._known: set[str] = set()
        self.lister: Lister = LocalLister(str(root), lambda: self.now)

    def put(self, *names: str) -> None:
        for name in names:
            file = self.root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"whatever")

    def look(self, after: float = 0.2) -> list[str]:
        self.now += after
        self.asked = 0
        found = self.lister.new(self._unknown)
        self._known |= {file.path for file in found}
        assert all(file.length == len(b"whatever") for file in found)
        return sorted(file.path.removeprefix(f"file:{self.root}/") for file in found)

    def _unknown(self, paths: Iterable[str]) -> set[str]:
        asked = set(paths)
        self.asked += len(asked)
        return asked - self._known


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "science")


def test_each_file_is_found_once_whatever_the_depth(place: Place) -> None:
    place.put(
        "a.parquet", "year=1/month=2/b [1]*.parquet", "_day=3/c.parquet", "table.parquet/d.parquet", "é ü.parquet"
    )
    found = ["_day=3/c.parquet", "a.parquet", "table.parquet/d.parquet", "year=1/month=2/b [1]*.parquet", "é ü.parquet"]
    assert place.look() == found
    assert place.look() == []
    place.put("year=1/month=3/e.parquet", "year=1/month=2/f.parquet")
    assert place.look() == ["year=1/month=2/f.parquet", "year=1/month=3/e.parquet"]


def test_what_is_hidden_empty_or_no_parquet_file_is_left_alone(place: Place) -> None:
    place.put("_a.parquet", ".b.parquet", "_temporary/c.parquet", ".d/e.parquet", "f.txt", "g.parquet._COPYING_")
    (place.root / "empty.parquet").touch()
    assert place.look() == []
    (place.root / "_a.parquet").rename(place.root / "a.parquet")
    assert place.look() == ["a.parquet"]


def test_a_file_that_was_made_empty_is_found_when_it_has_bytes(place: Place) -> None:
    place.put("a.parquet")
    (place.root / "b.parquet").touch()
    (place.root / "c.parquet").touch()
    assert place.look() == ["a.parquet"]
    assert place.look(after=10) == []
    place.put("b.parquet")
    (place.root / "c.parquet").unlink()
    assert place.look() == ["b.parquet"]
    assert place.look(after=1000) == []


def test_a_name_that_is_no_text_is_said_and_the_others_are_found(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    (Path(os.fsdecode(os.fsencode(place.root) + b"/\xff.parquet"))).touch()
    place.put("a.parquet")
    assert place.look() == ["a.parquet"]
    assert r"b'\xff.parquet' in" in caplog.text
    assert "is not UTF-8" in caplog.text


def test_files_of_folders_that_have_not_changed_are_not_looked_at(place: Place) -> None:
    place.put(*(f"day={day}/{number}.parquet" for day in range(3) for number in range(50)))
    assert len(place.look()) == 150
    assert place.look(after=3) == []
    place.asked = 0
    place.put("day=2/new.parquet")
    assert place.look() == ["day=2/new.parquet"]
    assert place.asked == 1, "the names of the folder are remembered"
    assert place.look(after=3) == place.look(after=60) == []
    assert place.asked == 0, "and to compare all names is to ask for none"


def test_a_file_that_comes_within_the_same_tick_is_found_all_the_same(place: Place) -> None:
    place.put("day=1/a.parquet")
    assert place.look() == ["day=1/a.parquet"]
    place.put("day=1/b.parquet")
    before = place.root / "day=1"
    os.utime(before, (AN_HOUR_AGO, AN_HOUR_AGO))
    assert place.look() == ["day=1/b.parquet"]
    place.put("day=1/c.parquet")
    os.utime(before, (AN_HOUR_AGO, AN_HOUR_AGO))
    assert place.look() == ["day=1/c.parquet"]


def test_a_file_system_that_keeps_no_times_of_folders_is_found_out(place: Place) -> None:
    def put(name: str) -> None:
        place.put(f"day=1/{name}")
        os.utime(place.root / "day=1", (AN_HOUR_AGO, AN_HOUR_AGO))

    put("a.parquet")
    assert place.look() == ["day=1/a.parquet"]
    assert place.look(after=3) == []
    put("b.parquet")
    assert place.look() == []
    assert place.look(after=31) == ["day=1/b.parquet"], "all names are compared now and then"
    put("c.parquet")
    assert place.look() == ["day=1/c.parquet"], "and the times are trusted no more"


def test_what_was_found_before_an_error_is_found_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.put("day=1/a.parquet", "day=2/b.parquet")
    scandir = os.scandir

    def fail(folder: str) -> object:
        if folder.endswith("day=2"):
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", fail)
        with pytest.raises(PermissionError, match="day=2"):
            place.look()
    assert place.look() == ["day=1/a.parquet", "day=2/b.parquet"]


def test_a_folder_that_goes_is_said_and_one_below_it_is_not(place: Place) -> None:
    place.put("day=1/a.parquet", "day=2/b.parquet")
    place.look()
    (place.root / "day=1" / "a.parquet").unlink()
    (place.root / "day=1").rmdir()
    assert place.look() == []
    place.put("day=1/c.parquet")
    assert place.look() == ["day=1/c.parquet"]
    place.root.rename(place.root.with_name("elsewhere"))
    with pytest.raises(FileNotFoundError, match="science"):
        place.look()


def test_spark_lists_what_is_on_no_file_system_of_ours(spark: SparkSession, place: Place) -> None:
    place.lister = SparkLister(spark, str(place.root))
    place.put("a b%20+é.parquet", "year=1/b [1]*.parquet", "_c.parquet", "d.txt")
    (place.root / "empty.parquet").touch()
    assert place.look() == ["a b%20+é.parquet", "year=1/b [1]*.parquet"]
    assert place.look() == []
    place.put("year=1/e.parquet", "empty.parquet")
    assert place.look() == ["empty.parquet", "year=1/e.parquet"]


def test_of_a_folder_that_a_spark_stream_writes_only_what_it_has_committed_is_read(
    spark: SparkSession, tmp_path: Path
) -> None:
    source, target = tmp_path / "from", tmp_path / "to"
    spark.range(3).write.parquet(str(source))
    stream = spark.readStream.schema("id LONG").parquet(str(source)).writeStream
    query = stream.option("checkpointLocation", str(tmp_path / "checkpoint")).trigger(availableNow=True)
    query.start(path=str(target), format="parquet").awaitTermination()
    committed = {f"file:{file}" for file in target.glob("*.parquet")}
    (target / "left-by-a-crash.parquet").write_bytes(b"whatever")
    lister = listing.lister(spark, str(target))
    assert {file.path for file in lister.new(set)} == committed


@pytest.mark.parametrize("form", ["{0}", "{0}/", "file:{0}", "file://{0}"])
def test_a_folder_of_this_machine_is_looked_at_without_spark(spark: SparkSession, place: Place, form: str) -> None:
    place.lister = listing.lister(spark, form.format(place.root))
    assert isinstance(place.lister, LocalLister)
    place.put("a.parquet")
    assert place.look() == ["a.parquet"]
    found = listing.find(spark, f"file:{place.root}/a.parquet")
    assert found is not None
    again = listing.lister(spark, form.format(place.root)).new(set)
    assert again == [found]
