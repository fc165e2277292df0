"""What has been delivered, and when: a line for each delivery in the checkpoint, for whoever recounts it later (`fink verify`)."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from distribution_job import durable_json
from distribution_job.alert_files import AlertFile
from distribution_job.outputs import Output

KEPT_DAYS = 30


@dataclass(frozen=True)
class Share:
    """What an output had of a delivery: how many alerts its filter let through, were sent, and were more than it may have.

    `filter`: a digest of its filter at that time.
    """

    topic: str
    filter: str
    matched: int
    published: int
    dropped: int


@dataclass(frozen=True)
class Delivered:
    """A delivery; `begun` and `settled` in ms since 1970 by the driver's clock, and no two overlap. `shares`: by output."""

    key: str
    begun: int
    settled: int
    files: tuple[AlertFile, ...]
    shares: Mapping[str, Share]


def ledger_folder(checkpoint: Path) -> Path:
    """Where a checkpoint keeps its ledger."""
    return checkpoint / "ledger"


def filter_digest(output: Output) -> str:
    """Something that is another when the output's filter is another."""
    return hashlib.sha256(f"sql={output.sql} python={output.python}".encode()).hexdigest()[:12]


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


class Ledger:
    """`folder/DAY.jsonl`, for KEPT_DAYS; a file only grows. Written by one thread of one driver."""

    def __init__(self, folder: Path, clock: Callable[[], int] = now_ms) -> None:
        """`clock`: milliseconds since 1970."""
        self._folder = folder
        self._clock = clock

    def note(self, key: str, begun: int, files: tuple[AlertFile, ...], shares: Mapping[str, Share]) -> None:
        """Write down a delivery. One that is noted again, after a crash, is one all the same."""
        settled = self._clock()
        day = datetime.fromtimestamp(settled / 1000, UTC).date()
        file = self._folder / f"{day}.jsonl"
        if not file.exists():
            self._forget(f"{day - timedelta(days=KEPT_DAYS)}.jsonl")
        document = {
            "key": key,
            "begun": begun,
            "settled": settled,
            "files": [list(file.to_json().values()) for file in files],
            "outputs": {name: asdict(share) for name, share in shares.items()},
        }
        durable_json.append(file, document)

    def deliveries(self) -> list[Delivered]:
        """All that is known, the oldest first."""
        found: dict[tuple[str, int], Delivered] = {}
        for file in sorted(self._folder.glob("*.jsonl")):
            for document in durable_json.lines(file):
                delivered = _delivered(document)
                found.setdefault((delivered.key, delivered.begun), delivered)
        return sorted(found.values(), key=lambda each: each.settled)

    def _forget(self, oldest: str) -> None:
        for file in self._folder.glob("*.jsonl"):
            if file.name < oldest:
                durable_json.remove(file)


def _delivered(document: dict[str, Any]) -> Delivered:
    return Delivered(
        document["key"],
        document["begun"],
        document["settled"],
        tuple(AlertFile(*file) for file in document["files"]),
        {name: Share(**share) for name, share in document["outputs"].items()},
    )
