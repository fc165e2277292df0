"""A driver that ends before or after any of its effects: the next one makes up for it, and nothing is there twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from distribution_job import delivery, durable_json
from distribution_job.alert_files import AlertFile, divided
from distribution_job.backlog import Backlog
from distribution_job.batches import Batches
from distribution_job.delivery import ExactlyOnce
from distribution_job.distributor import Prepared, Result
from distribution_job.drain import Drain
from distribution_job.failures import Failure, Reason
from distribution_job.journal import Journal
from distribution_job.ledger import Ledger
from distribution_job.outputs import Output
from distribution_job.progress import Counts
from distribution_job.quarantine import Quarantine
from distribution_job.slices import Slices

FILES = [AlertFile(f"file:/data/{name}.parquet", 1, 6 * 1024 * 1024) for name in "abc"]
OUTPUTS = [Output("good", "g"), Output("bad", "b")]
RAISED = Failure(Reason.FILTER_RAISED, "not yet")


class Killed(BaseException):
    """The process is gone."""


@dataclass
class Life:
    """Counts a process's effects, and ends it at one of them."""

    ends_at: int
    effects: int = 0

    def effect(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **named: Any) -> Any:
            self._tick()
            result = call(*args, **named)
            self._tick()
            return result

        return wrapped

    def _tick(self) -> None:
        self.effects += 1
        if self.effects == self.ends_at:
            raise Killed


@dataclass
class Kafka:
    """What the brokers have; it stands for the real ones in tests/kafka/job, which see the same."""

    committed: list[tuple[str, str]] = field(default_factory=list)
    marks: dict[str, str] = field(default_factory=dict)


class Producer:
    """The methods of Transactions."""

    def __init__(self, kafka: Kafka, life: Life) -> None:
        self.kafka = kafka
        self.open: list[tuple[str, str]] = []
        for name in ("begin", "flush", "commit", "abort", "marked"):
            setattr(self, name, life.effect(getattr(self, name)))

    def begin(self, batch: int) -> None:
        self.open = []

    def send(self, topic: str, what: str) -> None:
        self.open.append((topic, what))

    def flush(self) -> None:
        pass

    def commit(self, mark: str, topics: Sequence[str]) -> None:
        self.kafka.committed += self.open
        self.kafka.marks |= dict.fromkeys(topics, mark)
        self.open = []

    def abort(self) -> None:
        self.open = []

    def marked(self, mark: str, topics: Sequence[str]) -> bool:
        return any(self.kafka.marks.get(topic) == mark for topic in topics)


@dataclass(frozen=True)
class Pass:
    """Stands for a SinglePass, and for the alerts of its files."""

    outputs: Sequence[Any]
    files: Sequence[AlertFile]


class Distributor:
    """Sends a message for each file to each output; `bad` fails while `is_broken`."""

    def __init__(self, promise: ExactlyOnce) -> None:
        self.delivery = promise
        self.is_broken = True

    def prepare(self, alerts: Any, outputs: Sequence[Output], apart: Any = (), fresh: bool = False) -> Prepared:
        failed = {"bad": RAISED} if self.is_broken and any(output.name == "bad" for output in outputs) else {}
        kept = [Routed(output) for output in outputs if output.name not in failed]
        together: Any = Pass(kept, alerts) if kept else None
        return Prepared(failed, together, ())

    def send(self, alerts: Any, single: Any) -> Result:
        self.delivery.write(alerts, single)
        return Result(len(alerts), {routed.output.name: Counts(1, 1, 0) for routed in single.outputs})

    def rehearse(self, alerts: Any, single: Any) -> Result:
        return Result(len(alerts))


@dataclass(frozen=True)
class Routed:
    output: Output

    @property
    def topic(self) -> Any:
        return self

    @property
    def name(self) -> str:
        return self.output.topic


@dataclass(frozen=True)
class Reader:
    """Divides each file into parts of so many of its 90 rows."""

    rows: int

    def tables(self, files: Sequence[AlertFile]) -> Any:
        yield tuple(files), tuple(files)

    def parts(self, files: Iterable[AlertFile]) -> Any:
        for file in files:
            whole = file if file.is_part else replace(file, end=90, rows=90)
            number = (whole.end - whole.begin) // self.rows
            yield from divided(whole, number) if number > 1 else [file]


def _process(folder: Path, kafka: Kafka, life: Life, is_committed: list[bool], reader: Reader) -> None:
    """One life of a driver: the batch, unless Spark's checkpoint has it, then what waits for the output that works again."""
    backlog = Backlog(folder / "backlog", ["good", "bad"])
    journal = Journal(backlog, Ledger(folder / "ledger"), folder / "delivery.json")
    promise = ExactlyOnce(Producer(kafka, life), journal)  # type: ignore[arg-type]
    sent: Any = Distributor(promise)
    quarantine = Quarantine(folder / "quarantine")
    batches = Batches(reader, sent, quarantine, Drain(), lambda failure: None)  # type: ignore[arg-type]
    if not is_committed:
        batches.run("batch-1", FILES, OUTPUTS)
        life.effect(is_committed.append)(True)
    sent.is_broken = False
    for entry in backlog.entries("bad"):
        assert batches.retry(entry, OUTPUTS[1]).failures == {}


@pytest.fixture
def _stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def fan_out(alerts: Any, outputs: Any, send: Any, allow: Any) -> Any:
        for routed in outputs:
            for file in alerts:
                send(routed.name, file.mark)
        return {}

    class Once:
        @staticmethod
        def encoded_once(alerts: Any) -> Any:
            return alerts

    monkeypatch.setattr(Pass, "encoded_once", staticmethod(Once.encoded_once), raising=False)
    monkeypatch.setattr(delivery, "collect", lambda made, single: Files(made))
    monkeypatch.setattr(delivery, "fan_out", fan_out)


class Files(tuple[AlertFile, ...]):
    filtering: Any = MappingProxyType({"garbled_inside": None})
    table = SimpleNamespace(nbytes=1)


@pytest.mark.usefixtures("_stands_in")
@pytest.mark.parametrize("rows", [90, 30])
def test_each_alert_is_there_once_wherever_a_driver_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    reader = Reader(rows)
    expected = list(reader.parts(FILES))
    written, removed, appended = durable_json.write, durable_json.remove, durable_json.append
    deaths = 0
    for ends_at in range(1, 500):
        kafka, committed, folder, life = Kafka(), [], tmp_path / str(ends_at), Life(ends_at)
        monkeypatch.setattr(durable_json, "write", life.effect(written))
        monkeypatch.setattr(durable_json, "remove", life.effect(removed))
        monkeypatch.setattr(durable_json, "append", life.effect(appended))
        try:
            _process(folder, kafka, life, committed, reader)
        except Killed:
            deaths += 1
            monkeypatch.setattr(durable_json, "write", written)
            monkeypatch.setattr(durable_json, "remove", removed)
            monkeypatch.setattr(durable_json, "append", appended)
            _process(folder, kafka, Life(0), committed, reader)
        assert Counter(kafka.committed) == Counter({(topic, file.mark): 1 for topic in "gb" for file in expected}), (
            ends_at
        )
        assert Backlog(folder / "backlog", ["bad"]).pending("bad") == 0
        noted = [
            (name, file)
            for each in Ledger(folder / "ledger").deliveries()
            for name in each.shares
            for file in each.files
        ]
        assert Counter(noted) == Counter({(name, file): 1 for name in ("good", "bad") for file in expected}), ends_at
        if life.effects < ends_at:
            break
    assert deaths > 30


def test_a_slice_is_what_the_last_ones_say_and_at_least_a_file() -> None:
    slices = Slices()
    assert slices.cut(FILES) == FILES[:1]
    slices.note(FILES[:1], seconds=60.0, encoded_bytes=1)
    assert slices.cut(FILES) == FILES[:2], "it grows to twice what went well, and the first has the warming up"
    slices.note([replace(FILES[0], length=1000)], seconds=2.0, encoded_bytes=1)
    assert slices.cut(FILES) == FILES[:2], (
        "a little, which takes as long as a little more would, is no reason to take less"
    )
    slices.note(FILES[:2], seconds=60.0, encoded_bytes=1)
    assert slices.cut(FILES) == FILES[:1], "too slow"
    slices.note(FILES, seconds=1.0, encoded_bytes=10**10)
    assert slices.cut(FILES) == FILES[:1], "too large"
    for _ in range(99):
        slices.shrink()
    assert slices.cut(FILES) == FILES[:1]


def test_an_output_that_is_new_gets_what_is_left_to_it(tmp_path: Path) -> None:
    journal = Journal(Backlog(tmp_path, []), Ledger(tmp_path / "ledger"), tmp_path / "delivery.json")
    journal.settle(delivery.Effect("batch-7", tuple(FILES[:2]), ("good",)))
    again = Journal(Backlog(tmp_path, []), Ledger(tmp_path / "ledger"), tmp_path / "delivery.json")
    again.begin("batch-7")
    assert again.missing("batch-7", FILES, OUTPUTS) == [(FILES[:2], OUTPUTS[1:]), (FILES[2:], OUTPUTS)]
    again.begin("file-x")
    assert len(again.missing("batch-7", FILES, OUTPUTS)) == 2, "a file that is read again is no batch"
    again.begin("batch-8")
    assert again.missing("batch-7", FILES, OUTPUTS) == [(FILES, OUTPUTS)]
