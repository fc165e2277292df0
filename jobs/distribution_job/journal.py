"""Which files of a batch have been delivered to which outputs, on disk, and the one transaction that may be under way.

A transaction is decided in Kafka and its consequences lie here, so each is written down before it is committed (`intend`), with
a mark that the transaction itself leaves in Kafka. After a crash the mark says what happened: is it there, the consequences are
drawn (`settle`), else all is as before (`forget`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from distribution_job import durable_json
from distribution_job.alert_files import AlertFile, without
from distribution_job.backlog import Backlog, Entry
from distribution_job.ledger import Ledger, Share
from distribution_job.outputs import Output


@dataclass(frozen=True)
class Night:
    """What an output has had of a night (see `nights`), in bytes, and the limit at which it was to have no more, if it came to that."""

    number: int
    bytes: int = 0
    full_at: int | None = None


@dataclass(frozen=True)
class Effect:
    """What follows from a delivery: the outputs have these files, but for `waiting`, for which they stay in the backlog.

    `key` names the batch, or with `is_retry` the backlog's entry that the files are from. `begun`: ms since 1970. `shares`: what each
    output had. `nights`: what outputs that have a limit a night have had of it then, this delivery included.
    """

    key: str
    files: tuple[AlertFile, ...]
    outputs: tuple[str, ...]
    waiting: tuple[str, ...] = ()
    is_retry: bool = False
    begun: int = 0
    shares: Mapping[str, Share] = field(default_factory=dict)
    nights: Mapping[str, Night] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "files": [file.to_json() for file in self.files],
            "outputs": list(self.outputs),
            "waiting": list(self.waiting),
            "isRetry": self.is_retry,
            "begun": self.begun,
            "shares": {name: asdict(share) for name, share in self.shares.items()},
            "nights": _nights_to_json(self.nights),
        }

    @staticmethod
    def from_json(document: dict[str, Any]) -> Effect:
        files = tuple(map(AlertFile.from_json, document["files"]))
        outputs, waiting = tuple(document["outputs"]), tuple(document["waiting"])
        shares = {name: Share(**share) for name, share in document.get("shares", {}).items()}
        nights = _nights_from_json(document.get("nights", {}))
        begun = document.get("begun", 0)
        return Effect(document["key"], files, outputs, waiting, document["isRetry"], begun, shares, nights)


@dataclass(frozen=True)
class Intent:
    """A transaction that may have been committed: its mark, and the topics that have the mark if it was."""

    mark: str
    topics: tuple[str, ...]
    effect: Effect


class Journal:
    """What has been delivered, in memory and, if there is a file, on disk. Used by one thread at a time."""

    def __init__(self, backlog: Backlog, ledger: Ledger, file: Path | None = None) -> None:
        self._backlog = backlog
        self._ledger = ledger
        self._file = file
        self._done: dict[str, list[tuple[tuple[AlertFile, ...], frozenset[str]]]] = {}
        self.nights: dict[str, Night] = {}
        self.intent: Intent | None = None
        document = durable_json.read(file) if file is not None else None
        if document is not None:
            self._load(document)

    def begin(self, key: str) -> None:
        """A batch begins, or begins again; what is known of others of its kind will not be asked for any more."""
        kind = key.partition("-")[0]
        for other in [other for other in self._done if other != key and other.partition("-")[0] == kind]:
            del self._done[other]

    def missing(
        self, key: str, files: Collection[AlertFile], outputs: Sequence[Output]
    ) -> list[tuple[list[AlertFile], list[Output]]]:
        """What is left of a batch: files and parts in order, each list with the outputs that lack all of it."""
        had: dict[str, list[tuple[AlertFile, frozenset[str]]]] = {}
        for parts, names in self._done.get(key, ()):
            for part in parts:
                had.setdefault(part.path, []).append((part, names))
        # Most files have gone to the same outputs, so these are divided once for all of them.
        alike: dict[tuple[frozenset[str], ...], Mapping[tuple[int, ...], list[str]]] = {}
        groups: dict[tuple[str, ...], list[AlertFile]] = {}
        for file in sorted(files):
            given = had.get(file.path, [])
            receivers = tuple(names for _, names in given)
            if receivers not in alike:
                alike[receivers] = _alike(receivers, outputs)
            for part, lacking in _lacking(file, [part for part, _ in given], alike[receivers]).items():
                groups.setdefault(tuple(lacking), []).append(part)
        by_name = {output.name: output for output in outputs}
        return [(some, [by_name[name] for name in names]) for names, some in groups.items()]

    def waiting(self, entry: Entry) -> tuple[AlertFile, ...]:
        """The files of a backlog's entry that are in it still."""
        return self._backlog.left(entry)

    def intend(self, intent: Intent) -> None:
        """Write down what is about to be committed."""
        self.intent = intent
        self._write()

    def settle(self, effect: Effect) -> None:
        """Draw the consequences; doing so twice changes nothing."""
        had = {name: share for name, share in effect.shares.items() if name not in effect.waiting}
        if had:
            self._ledger.note(effect.key, effect.begun, effect.files, had)
        if effect.is_retry:
            for name in effect.outputs:
                if name not in effect.waiting:
                    self._backlog.discard(name, effect.key, effect.files)
        else:
            for name in effect.waiting:
                self._backlog.put(name, effect.key, effect.files)
            self._done.setdefault(effect.key, []).append((effect.files, frozenset(effect.outputs)))
        self.nights |= effect.nights
        self.forget()

    def forget(self) -> None:
        """No transaction is under way any more."""
        self.intent = None
        self._write()

    def _write(self) -> None:
        if self._file is None:
            return
        done = {
            key: [{"paths": sorted(file.mark for file in files), "outputs": sorted(names)} for files, names in parts]
            for key, parts in self._done.items()
        }
        document: dict[str, Any] = {"done": done, "nights": _nights_to_json(self.nights)}
        if (intent := self.intent) is not None:
            document["intent"] = {
                "mark": intent.mark,
                "topics": list(intent.topics),
                "effect": intent.effect.to_json(),
            }
        durable_json.write(self._file, document)

    def _load(self, document: dict[str, Any]) -> None:
        self._done = {
            key: [(tuple(map(AlertFile.from_mark, part["paths"])), frozenset(part["outputs"])) for part in parts]
            for key, parts in document["done"].items()
        }
        self.nights = _nights_from_json(document.get("nights", {}))
        intent = document.get("intent")
        if intent is not None:
            self.intent = Intent(intent["mark"], tuple(intent["topics"]), Effect.from_json(intent["effect"]))


def _alike(receivers: Sequence[Collection[str]], outputs: Sequence[Output]) -> Mapping[tuple[int, ...], list[str]]:
    """The outputs that are among the same of some receivers, by the positions of these."""
    alike: dict[tuple[int, ...], list[str]] = {}
    for output in outputs:
        positions = tuple(number for number, names in enumerate(receivers) if output.name in names)
        alike.setdefault(positions, []).append(output.name)
    return alike


def _lacking(
    file: AlertFile, given: Sequence[AlertFile], alike: Mapping[tuple[int, ...], list[str]]
) -> Mapping[AlertFile, list[str]]:
    """What outputs lack of a file, and which do. `alike`: those that have the same of what was `given`, by the positions of it."""
    lacking: dict[AlertFile, list[str]] = {}
    for positions, names in alike.items():
        for part in without(file, [given[position] for position in positions]):
            lacking.setdefault(part, []).extend(names)
    return lacking


def _nights_to_json(nights: Mapping[str, Night]) -> dict[str, Any]:
    return {output: asdict(night) for output, night in nights.items()}


def _nights_from_json(document: Mapping[str, Any]) -> dict[str, Night]:
    return {output: Night(**night) for output, night in document.items()}
