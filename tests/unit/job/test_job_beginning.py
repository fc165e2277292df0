"""Where a stream begins, without Kafka."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from distribution_job.alert_files import AlertFile
from distribution_job.beginning import Beginning
from distribution_job.discovery import Discovery
from distribution_job.source_config import milliseconds


class Place:
    """A folder of files, a checkpoint, and what a driver makes of them at each start."""

    def __init__(self, spark: SparkSession, folder: Path) -> None:
        self.spark = spark
        self.source = folder / "science"
        self.checkpoint = folder / "checkpoint"

    def put(self, *names: str, modified: str | None = None) -> None:
        self.source.mkdir(exist_ok=True)
        for name in names:
            file = self.source / f"{name}.parquet"
            file.write_bytes(b"whatever")
            if modified is not None:
                seconds = milliseconds(modified) / 1000
                os.utime(file, (seconds, seconds))

    def start(self, wanted: str, meanwhile: str = "") -> list[str]:
        """Start a driver, which ends when it has seen all; return the names of what it would distribute."""
        discovery = Discovery(self.spark, str(self.source), self.checkpoint, 2, 0)
        beginning = Beginning(self.checkpoint / "beginning.json", wanted, discovery)
        beginning.settle()
        if meanwhile:
            self.put(meanwhile)
        found: list[str] = []

        def give(number: int, files: Sequence[AlertFile]) -> None:
            found.extend(Path(file.path).stem for file in files if beginning.includes(file))

        while discovery.give_next(give):
            pass
        discovery.close()
        return sorted(found)


@pytest.fixture
def place(spark: SparkSession, tmp_path: Path) -> Place:
    return Place(spark, tmp_path)


def test_earliest_takes_all_and_a_restart_goes_on(place: Place) -> None:
    place.put("a", "b", "c")
    assert place.start("Earliest") == ["a", "b", "c"]
    place.put("d")
    assert place.start("Latest") == ["d"], "what is changed later changes nothing"


def test_latest_leaves_out_what_was_there_and_nothing_else(place: Place) -> None:
    place.put("a", "b", "c")
    assert place.start("Latest", meanwhile="d") == ["d"]
    place.put("e", modified="2020-01-01T00:00:00Z")
    assert place.start("Latest") == ["e"], "it came while no driver ran, whatever its time says"


def test_latest_takes_all_of_a_folder_that_is_empty_or_made_later(place: Place) -> None:
    place.source.mkdir()
    assert place.start("Latest", meanwhile="a") == ["a"]
    later = Place(place.spark, place.checkpoint)
    with pytest.raises(FileNotFoundError):
        later.start("Latest")
    later.put("b", "c", "d")
    assert later.start("Latest") == ["b", "c", "d"]


def test_a_time_leaves_out_older_files_also_after_a_restart(place: Place) -> None:
    moment = "2026-01-31T22:00:00+01:00"
    place.put("old", modified="2026-01-31T20:59:59Z")
    place.put("just", modified="2026-01-31T21:00:00Z")
    assert place.start(moment) == ["just"]
    place.put("older", modified="2025-01-01T00:00:00Z")
    place.put("new")
    assert place.start("Earliest") == ["new"]
