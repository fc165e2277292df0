"""Which files wait, and who is told of it when."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from distribution_job.alert_files import AlertFile
from distribution_job.drain import Drain
from distribution_job.failures import BatchError, Reason
from distribution_job.kafka_source import KafkaSource
from distribution_job.lag import Lag, LagWatch
from distribution_job.source_config import KafkaTopic
from distribution_job.waiting_files import WaitingFiles
from testbed.fixtures import wait_for


def put(file: Path, size: int = 10, modified: int = 1_000) -> AlertFile:
    """A file of that size, modified so many seconds after 1970, as discovery would give it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x" * size)
    os.utime(file, (modified, modified))
    return AlertFile(f"file://{file}", modified * 1000, size)


def log(checkpoint: Path, name: str, entries: Iterable[tuple[Path, int]]) -> None:
    """Files and the numbers that Spark's file source has given them, in its log."""
    lines = [json.dumps({"path": file.as_uri(), "timestamp": 1, "batchId": number}) for file, number in entries]
    write(checkpoint / "sources" / "0" / name, "v1", *lines)


def write(file: Path, *lines: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines))


def names(waiting: WaitingFiles) -> list[str]:
    return sorted(Path(file.path).name for file in waiting.files())


@pytest.mark.parametrize(
    ("path", "size", "is_found"),
    [
        ("a.parquet", 10, True),
        ("year=2026/_month=1/a.parquet", 10, True),
        ("_a.parquet", 10, False),
        (".a.parquet", 10, False),
        ("_night/a.parquet", 10, False),
        (".night/a.parquet", 10, False),
        ("a.csv", 10, False),
        ("empty.parquet", 0, False),
    ],
)
def test_what_discovery_would_find_waits(tmp_path: Path, path: str, size: int, is_found: bool) -> None:
    waiting = WaitingFiles(str(tmp_path / "science"), tmp_path / "checkpoint")
    waiting.look()
    assert waiting.files() == [], "the folder need not be there yet"
    put(tmp_path / "science" / path, size)
    waiting.look()
    assert bool(waiting.files()) is is_found


def test_a_file_waits_until_the_batch_that_has_it_has_ended(tmp_path: Path) -> None:
    folder = tmp_path / "science"
    first, second = put(folder / "a b%.parquet"), put(folder / "b.parquet")
    waiting = WaitingFiles(f"file:{folder}/", tmp_path / "checkpoint")
    waiting.look()
    waiting.found([first])
    assert len(waiting.files()) == 2
    waiting.distributed([first])
    assert names(waiting) == ["b.parquet"], "at once, without a look"
    waiting.look()
    assert names(waiting) == ["b.parquet"]
    waiting.distributed([second])
    waiting.look()
    assert waiting.files() == []
    (folder / "b.parquet").unlink()
    waiting.look()
    put(folder / "b.parquet")
    waiting.look()
    assert waiting.files() == [], "discovery gives no path twice"


def test_staged_files_are_forgotten_when_they_are_gone(tmp_path: Path) -> None:
    file = put(tmp_path / "staging" / "a.parquet")
    waiting = WaitingFiles(str(tmp_path / "staging"), tmp_path / "checkpoint", forget=True)
    waiting.distributed([file])
    waiting.look()
    assert waiting.files() == []
    (tmp_path / "staging" / "a.parquet").unlink()
    waiting.look()
    put(tmp_path / "staging" / "a.parquet")
    waiting.look()
    assert names(waiting) == ["a.parquet"], "or memory would grow with each batch"


def test_what_was_distributed_before_the_start_is_in_sparks_log(tmp_path: Path) -> None:
    folder, checkpoint = tmp_path / "science", tmp_path / "checkpoint"
    files = [folder / f"{name}.parquet" for name in ("a b%#", "b", "c", "d", "e")]
    for file in files:
        put(file)
    log(checkpoint, "9.compact", [(files[0], 0), (files[1], 9)])
    log(checkpoint, "8", [(files[0], 0)])  # of before the summary
    log(checkpoint, "10", [(files[2], 10)])
    log(checkpoint, "11", [(files[3], 11)])
    # The twentieth batch goes up to the source's number 10; the next one was cut off.
    for number, last in ((9, 9), (20, 10), (21, 11)):
        write(checkpoint / "offsets" / str(number), "v1", "{}", json.dumps({"logOffset": last}))
    for number in (9, 20):
        write(checkpoint / "commits" / str(number), "v1", "{}")
    (checkpoint / "commits" / ".20.crc").touch()
    waiting = WaitingFiles(str(folder), checkpoint)
    waiting.load()
    waiting.look()
    assert names(waiting) == ["d.parquet", "e.parquet"]


def test_of_a_folder_elsewhere_the_batch_under_way_is_known(tmp_path: Path) -> None:
    waiting, file = WaitingFiles("s3a://bucket/science", tmp_path), AlertFile("s3a://bucket/science/a.parquet", 1, 2)
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


def test_the_lag_is_told_when_it_changes_and_never_for_its_age(tmp_path: Path) -> None:
    told: list[Lag | None] = []
    behind = Behind()
    waiting = WaitingFiles(str(tmp_path / "science"), tmp_path / "checkpoint")
    watch = LagWatch(waiting, behind, told.append, 5, Drain(), lambda: 0.0)
    watch.step()
    assert told == [Lag()]
    files = [put(tmp_path / "science" / "new.parquet", 10, 2_000), put(tmp_path / "science" / "old.parquet", 5, 1_000)]
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


def test_looking_takes_a_small_part_of_the_time(tmp_path: Path) -> None:
    ticks = iter([0.0, 0.01, 1.0, 4.0])
    waiting = WaitingFiles(str(tmp_path), tmp_path / "checkpoint")
    watch = LagWatch(waiting, None, lambda lag: None, 5, Drain(), lambda: next(ticks))
    assert watch.step() == 5
    assert watch.step() == 60, "a folder of very many files"


@pytest.mark.parametrize(("interval", "pause"), [(0, 2), (10, 10), (3600, 30)])
def test_looks_are_as_far_apart_as_discoverys_within_bounds(tmp_path: Path, interval: float, pause: float) -> None:
    waiting = WaitingFiles(str(tmp_path), tmp_path / "checkpoint")
    assert LagWatch(waiting, None, lambda lag: None, interval, Drain(), lambda: 0.0).step() == pause


def test_a_log_that_cannot_be_read_ends_the_looks_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write(tmp_path / "commits" / "3", "v1")
    told: list[Lag | None] = []
    drain = Drain()
    watch = LagWatch(WaitingFiles(str(tmp_path), tmp_path), None, told.append, 5, drain)
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
