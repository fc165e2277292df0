"""What the checkpoint of a stream that may be running says was found, delivered, and is waiting. It is only read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from distribution_job import durable_json
from distribution_job.alert_files import plain
from distribution_job.backlog import Backlog
from distribution_job.config import JobConfig
from distribution_job.ledger import Delivered, Ledger, ledger_folder
from distribution_job.quarantine import Quarantine
from distribution_job.source_config import LATEST
from distribution_job.verification import found_files
from distribution_job.verification.found_files import FoundFile

_ATTEMPTS = 5


@dataclass(frozen=True)
class Checkpoint:
    """`found`: the files of committed batches, but for those before the stream's beginning. `aside`: the plain paths of files that wait, or
    that could not be read. `waiting`: how many files wait, by output. `deliveries`: all, the oldest first.
    """

    found: Sequence[FoundFile]
    aside: frozenset[str]
    waiting: dict[str, int]
    deliveries: Sequence[Delivered]

    def lost(self, since: int) -> list[FoundFile]:
        """The files, modified at `since` (ms) or later, that no output was given and none waits for."""
        if not self.deliveries:
            return []
        # What was distributed before the ledger began is not known.
        since = max(since, self.deliveries[0].begun)
        known = self.aside | {plain(file.path) for each in self.deliveries for file in each.files}
        return [file for file in self.found if file.modified >= since and plain(file.path) not in known]


def read(config: JobConfig) -> Checkpoint:
    """Read it. A file moves from what was found to what waits, and to what is delivered, so it is read in this order."""
    names = [output.name for output in config.outputs]
    found = _found(config)
    backlog = Backlog(config.checkpoint / "backlog", names)
    held = Quarantine(config.checkpoint / "quarantine").held()
    aside = {plain(file.path) for file in backlog.files()} | {plain(each.file.path) for each in held}
    waiting = {name: count for name in names if (count := backlog.pending(name))}
    return Checkpoint(found, frozenset(aside), waiting, Ledger(ledger_folder(config.checkpoint)).deliveries())


def _found(config: JobConfig) -> list[FoundFile]:
    beginning = durable_json.read(config.checkpoint / "beginning.json") or {}
    since = beginning.get("since") or 0
    # Its first look takes what was there before for found.
    first = 1 if beginning.get("startingFrom") == LATEST else 0
    files = _committed(config)
    return [file for file in files if file.modified >= since and file.number >= first]


def _committed(config: JobConfig) -> list[FoundFile]:
    for _ in range(_ATTEMPTS - 1):
        try:
            return found_files.committed(config.checkpoint / "spark")
        except FileNotFoundError:
            continue  # the driver has just put several files into one
    return found_files.committed(config.checkpoint / "spark")
