"""Alerts of a source that is no folder of files, on their way: Parquet files in the checkpoint, where discovery finds them."""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame

from distribution_job import durable_json
from distribution_job.alert_files import AlertFile, plain
from distribution_job.drain import Drain

_AHEAD = 3  # batches that may lie here and are not distributed yet
_ROWS_PER_FILE = 1000  # a file is not divided between two deliveries
_POSITION = "_position.json"
_LOOK_SECONDS = 0.1

Tables = Callable[[], Iterable[DataFrame]]


class Staging:
    """`folder/batch-NUMBER/TABLE/*.parquet`; a batch is there whole or not at all, with the source's position after it.

    One thread puts batches, another has them distributed. The newest batch's folder stays, also when its files are gone: its number
    says that what comes later under the same number is here already.
    """

    def __init__(self, folder: Path, record: Path, drain: Drain) -> None:
        """`record`: a file beside the folder that remembers which files have been distributed."""
        self.folder = folder
        self._record = record
        self._drain = drain
        self._lock = threading.Lock()
        document = durable_json.read(record)
        self._distributed: dict[str, int] = document["files"] if document is not None else {}
        folder.mkdir(parents=True, exist_ok=True)
        for unfinished in folder.glob(".batch-*"):
            shutil.rmtree(unfinished)

    def newest(self) -> int:
        """The number of the newest batch; -1 when there is none."""
        return max((_number(batch) for batch in self.folder.glob("batch-*")), default=-1)

    def position(self) -> Any:
        """What the newest batch was put with; None when there is no batch."""
        number = self.newest()
        return durable_json.read(self._place(number) / _POSITION) if number >= 0 else None

    def await_room(self) -> None:
        """Wait while too much lies here undistributed. Raises Draining when the job is to end."""
        while self._waiting() >= _AHEAD:
            self._drain.pause(_LOOK_SECONDS)
        self._drain.check()

    def put(self, number: int, tables: Tables, position: Any = None) -> bool:
        """Write the tables as the batch of this number, unless it is here already; whether it was written.

        Waits as `await_room` does. Raises Draining when the job is to end, and what Spark raises.
        """
        if number <= self.newest():
            return False
        self.await_room()
        hidden = self.folder / f".batch-{number}-{secrets.token_hex(4)}"
        for index, table in enumerate(tables()):
            # Spark writes on the executors; they have this folder too.
            table.write.option("maxRecordsPerFile", _ROWS_PER_FILE).parquet(str(hidden / str(index)))
        durable_json.write(hidden / _POSITION, position)
        durable_json.force_all(hidden)
        hidden.rename(self._place(number))  # fails when another driver has put a batch of this number
        durable_json.force(self.folder)
        return True

    def note(self, batch: int, files: Iterable[AlertFile]) -> None:
        """Remember, on disk, that the files have been distributed by discovery's batch of this number."""
        with self._lock:
            self._distributed |= {plain(file.path): batch for file in files}
            durable_json.write(self._record, {"files": self._distributed})

    def clean(self, batch: int, wanted: Iterable[AlertFile]) -> None:
        """Remove what was distributed before discovery's batch of this number, which will not be asked for again.

        `wanted`: the files that an output lacks still, or that could not be read.
        """
        kept = {plain(file.path) for file in wanted}
        with self._lock:
            gone = {path for path, when in self._distributed.items() if when < batch and path not in kept}
            for path in gone:
                Path(path).unlink(missing_ok=True)
            for folder in sorted(self.folder.glob("batch-*"))[:-1]:
                if not _files(folder):
                    shutil.rmtree(folder)
            if gone:
                self._distributed = {path: when for path, when in self._distributed.items() if path not in gone}
                durable_json.write(self._record, {"files": self._distributed})

    def _waiting(self) -> int:
        with self._lock:
            distributed = set(self._distributed)
        return sum(bool(_files(folder) - distributed) for folder in self.folder.glob("batch-*"))

    def _place(self, number: int) -> Path:
        return self.folder / f"batch-{number:012d}"


def _number(batch: Path) -> int:
    return int(batch.name.removeprefix("batch-"))


def _files(batch: Path) -> set[str]:
    return {os.fspath(file) for file in batch.glob("*/*.parquet")}
