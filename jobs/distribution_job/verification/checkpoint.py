"""What the checkpoint of a stream that may be running says was found, delivered, and is waiting. It is only read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from distribution_job import durable_json, file_log
from distribution_job.alert_files import AlertFile, all_without, plain
from distribution_job.backlog import Backlog
from distribution_job.config import JobConfig
from distribution_job.file_log import FILE
from distribution_job.ledger import Delivered, Ledger, ledger_folder
from distribution_job.quarantine import Quarantine


@dataclass(frozen=True)
class Checkpoint:
    """`found`: the files of committed batches, but for those before the stream's beginning. `aside`: the plain paths of files that wait, or
    that could not be read. `waiting`: how many files wait, by output. `deliveries`: all, the oldest first.
    """

    found: Sequence[AlertFile]
    aside: frozenset[str]
    waiting: dict[str, int]
    deliveries: Sequence[Delivered]

    def lost(self, since: int) -> list[AlertFile]:
        """The files, modified at `since` (ms) or later, that no output was given and none waits for."""
        if not self.deliveries:
            return []
        # What was distributed before the ledger began is not known.
        since = max(since, self.deliveries[0].begun)
        new = [file for file in self.found if file.modified >= since and plain(file.path) not in self.aside]
        return all_without(new, (file for each in self.deliveries for file in each.files))


def read(config: JobConfig) -> Checkpoint:
    """Read it. A file moves from what was found to what waits, and to what is delivered, so it is read in this order."""
    names = [output.name for output in config.outputs]
    found = _found(config)
    backlog = Backlog(config.checkpoint / "backlog", names)
    held = Quarantine(config.checkpoint / "quarantine").held()
    aside = {plain(file.path) for file in backlog.files()} | {plain(each.file.path) for each in held}
    waiting = {name: count for name in names if (count := backlog.pending(name))}
    return Checkpoint(found, frozenset(aside), waiting, Ledger(ledger_folder(config.checkpoint)).deliveries())


def _found(config: JobConfig) -> list[AlertFile]:
    beginning = durable_json.read(config.checkpoint / "beginning.json") or {}
    since = beginning.get("since") or 0
    return [file for file in file_log.committed(config.checkpoint / FILE) if file.modified >= since]
