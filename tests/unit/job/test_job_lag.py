"""Which files wait, and who is told of it when."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from distribution_job.alert_files import AlertFile
from distribution_job.drain import Drain
from distribution_job.failures import BatchError, Reason
from distribution_job.file_log import FileLog
from distribution_job.kafka_source import KafkaSource
from distribution_job.lag import Lag, LagWatch
from distribution_job.listing import LocalLister
from distribution_job.source_config import KafkaTopic
from distribution_job.waiting_files import WaitingFiles
from testbed.fixtures import wait_for


def put(file: Path, size: int = 10, modified: int = 1_000) -> AlertFile:
    """A file of that size, modified so many seconds after 1970, as discovery would give it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x" * size)
    os.utime(file, (modified, modified))
    return AlertFile(f"file:{file}", modified * 1000, size)


def write(file: Path, *lines: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines))


def names(waiting: WaitingFiles) -> list[str]:
    return sorted(Path(file.path).name for file in waiting.files())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "science"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[FileLog]:
    made = FileLog(tmp_path / "files.db")
    yield made
    made.close()


@pytest.fixture
def waiting(folder: Path, log: FileLog) -> WaitingFiles:
    return WaitingFiles(lambda: LocalLister(str(folder)), log)


def test_a_file_waits_until_the_batch_that_has_it_has_ended(folder: Path, log: FileLog, waiting: WaitingFiles) -> None:
    waiting.look()
    assert waiting.files() == [], "the folder need not be there yet"
    first, second = put(folder / "a b%.parquet"), put(folder / "b.parquet")
    put(folder / "empty.parquet", size=0)
    waiting.look()
    assert names(waiting) == ["a b%.parquet", "b.parquet"]
    batch = log.begin([first])
    waiting.found(batch.files)
    waiting.look()
    assert len(waiting.files()) == 2
    waiting.distributed(batch.files)
    log.commit(batch)
    assert names(waiting) == ["b.parquet"], "at once, without a look"
    waiting.look()
    assert names(waiting) == ["b.parquet"]
    log.begin([second])
    waiting.look()
    assert waiting.files() == [], "it was taken and distributed during the look"


def test_a_file_that_goes_waits_no_more(folder: Path, waiting: WaitingFiles) -> None:
    put(folder / "a.parquet")
    waiting.look()
    (folder / "a.parquet").unlink()
    waiting.look()
    assert waiting.files() == []


def test_what_was_distributed_before_the_start_does_not_wait(folder: Path, log: FileLog, waiting: WaitingFiles) -> None:
    log.commit(log.begin([put(folder / "a.parquet")]))
    log.pass_over([put(folder / "b.parquet")])
    put(folder / "c.parquet")
    waiting.look()
    assert names(waiting) == ["c.parquet"]


def test_of_a_folder_elsewhere_the_batch_under_way_is_known(log: FileLog) -> None:
    waiting, file = WaitingFiles(lambda: None, log), AlertFile("s3a://bucket/science/a.parquet", 1, 2)
    waiting.look()
    waiting.found([file])
    waiting.look()
    assert waiting.files() == [file]
    waiting.distributed([file])
    assert waiting.files() == []


class Behind:
    """A source that says how many messages are not staged, or fails."""

    messages: int | None = None
    fails = False

    def __call__(self) -> int | None:
        if self.fails:
            raise BatchError(Reason.SOURCE_UNAVAILABLE, "away")
        return self.messages


def test_the_lag_is_told_when_it_changes_and_never_for_its_age(folder: Path, waiting: WaitingFiles) -> None:
    told: list[Lag | None] = []
    behind = Behind()
    watch = LagWatch(waiting, behind, told.append, 5, Drain(), lambda: 0.0)
    watch.step()
    assert told == [Lag()]
    files = [put(folder / "new.parquet", 10, 2_000), put(folder / "old.parquet", 5, 1_000)]
    watch.step()
    watch.step()
    assert told[1:] == [Lag(2, 15, 1_000_000)]
    watch.found(files)
    assert len(told) == 2
    watch.distributed(files)
    assert told[2:] == [Lag()]
    behind.messages = 40
    watch.step()
    behind.fails = True
    watch.step()
    assert told[3:] == [Lag(messages=40), Lag()], "it is not known while the source does not answer"


def test_looking_takes_a_small_part_of_the_time(waiting: WaitingFiles) -> None:
    ticks = iter([0.0, 0.01, 1.0, 4.0])
    watch = LagWatch(waiting, None, lambda lag: None, 5, Drain(), lambda: next(ticks))
    assert watch.step() == 5
    assert watch.step() == 60, "a folder of very many files"


@pytest.mark.parametrize(("interval", "pause"), [(0, 2), (10, 10), (3600, 30)])
def test_looks_are_as_far_apart_as_discoverys_within_bounds(
    waiting: WaitingFiles, interval: float, pause: float
) -> None:
    assert LagWatch(waiting, None, lambda lag: None, interval, Drain(), lambda: 0.0).step() == pause


def test_a_log_that_cannot_be_read_ends_the_looks_and_nothing_else(
    log: FileLog, waiting: WaitingFiles, caplog: pytest.LogCaptureFixture
) -> None:
    log.close()
    told: list[Lag | None] = []
    drain = Drain()
    watch = LagWatch(waiting, None, told.append, 5, drain)
    watch.start()
    wait_for(lambda: told == [None], 30, "it is said")
    assert "how many files wait is not known any more" in caplog.text
    watch.found([AlertFile("file:/a.parquet", 1, 1)])
    assert told == [None]


@pytest.mark.parametrize(
    ("staged", "ends", "messages"),
    [
        (None, {0: 15}, None),
        ({"0": 10, "1": 3}, {0: 15, 1: 3}, 5),
        ({"0": 10}, {0: 10, 1: 4}, 4),
        ({"0": 10, "1": 9}, {0: 10}, 0),
    ],
    ids=["nothing staged yet", "behind", "a new partition", "a partition that is gone"],
)
def test_a_topic_knows_how_many_messages_are_not_staged(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    staged: dict[str, int] | None,
    ends: dict[int, int],
    messages: int | None,
) -> None:
    topic = KafkaTopic("alerts", "SchemaInKey", None, 100)
    job: Any = SimpleNamespace(kafka=None, registry=None, source=SimpleNamespace(starting_from="Earliest"))
    source: Any = KafkaSource(None, job, topic, tmp_path, lambda text: None)
    monkeypatch.setattr(source, "_ask", lambda which: ends)
    if staged is not None:
        write(tmp_path / "spark" / "offsets" / "4", "v1", "{}", json.dumps({"alerts": staged}))
        write(tmp_path / "spark" / "commits" / "4", "v1", "{}")
        # Begun, and not staged.
        write(tmp_path / "spark" / "offsets" / "5", "v1", "{}", json.dumps({"alerts": {"0": 99, "1": 99}}))
    assert source.behind() == messages
