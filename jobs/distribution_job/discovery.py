"""Finding new files, each once, also across restarts, and having them distributed batch by batch.

Files are found by their names, times and sizes; none is opened here. A batch is then read as Parquet by itself, which keeps column
pruning, lets a file be left out, and lets a batch be repeated for one output.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pyspark.sql import SparkSession

from distribution_job import listing
from distribution_job.alert_files import AlertFile
from distribution_job.file_log import FILE, FileLog
from distribution_job.listing import Lister, LocalLister
from distribution_job.stages import Stage, StageTimes
from distribution_job.waiting_files import WaitingFiles

_LEAST_PAUSE = 0.1  # seconds between two looks of which the first has found nothing

Give = Callable[[int, Sequence[AlertFile]], None]
"""Is given a batch's number and files; its return commits the batch."""


class Discovery:
    def __init__(
        self,
        spark: SparkSession,
        folder: str,
        checkpoint: Path,
        files_per_batch: int,
        seconds: int,
        report: Callable[[Mapping[Stage, float]], None] = lambda seconds: None,
    ) -> None:
        """`checkpoint`: a folder; `seconds` between two looks at `folder`. `report` is told the seconds of discovery's part in each batch."""
        self._spark = spark
        self._folder = folder
        self._files_per_batch = files_per_batch
        self._seconds = seconds
        self._report = report
        self._log = FileLog(checkpoint / FILE)
        self._lister: Lister | None = None
        self._waiting: list[AlertFile] = []

    def folder_exists(self) -> bool:
        """Whether there is anything to look at yet. Raises what the file system raises."""
        return self.find(self._folder) is not None

    def began(self) -> bool:
        """Whether a batch has ever been begun with this checkpoint."""
        return self._log.began

    def find(self, path: str) -> AlertFile | None:
        """The file (or folder) as it is now; None when it is not there."""
        return listing.find(self._spark, path)

    def start(self, give: Give) -> Looking:
        """Begin, with the batch that was cut off if there is one."""
        return Looking(self, give, self._seconds)

    def pass_over(self) -> int:
        """Take all files that are there now for found, and return how many they are; no batch has them."""
        found = self._new()
        self._log.pass_over(found)
        return len(found)

    def give_next(self, give: Give) -> bool:
        """Have one batch distributed; whether there was one. Raises what `give` raises, and then it is not committed."""
        times = StageTimes()
        batch = self._log.unfinished()
        if batch is not None:
            # Of a batch that is repeated, files may have been cleaned up meanwhile.
            give(batch.number, [file for file in batch.files if self.find(file.path) is not None])
        else:
            with times.of(Stage.LIST):
                if len(self._waiting) < self._files_per_batch:
                    self._waiting += self._new()
                    self._waiting.sort(key=lambda file: (file.modified, file.path))
            if not self._waiting:
                return False
            with times.of(Stage.CHECKPOINT):
                batch = self._log.begin(self._waiting[: self._files_per_batch])
            del self._waiting[: self._files_per_batch]
            give(batch.number, batch.files)
        with times.of(Stage.CHECKPOINT):
            self._log.commit(batch)
        self._report(times.take())
        return True

    def waiting(self) -> WaitingFiles:
        """What waits for its batch, as somebody else sees it who looks by himself."""

        def make() -> Lister | None:
            lister = listing.lister(self._spark, self._folder)
            # To list all of an object store once more only to say how many files wait is too much.
            return lister if isinstance(lister, LocalLister) else None

        return WaitingFiles(make, self._log)

    def close(self) -> None:
        """Let the checkpoint go."""
        self._log.close()

    def _new(self) -> list[AlertFile]:
        if self._lister is None:
            self._lister = listing.lister(self._spark, self._folder)
        return self._lister.new(self._log.unknown)


class Looking:
    """A thread that looks for files and has them distributed, until it is stopped or something is raised."""

    def __init__(self, discovery: Discovery, give: Give, seconds: int) -> None:
        self.error: Exception | None = None
        self.batches = 0  # that are done
        self._discovery = discovery
        self._give = give
        self._seconds = seconds
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether it is still looking."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Begin no other batch, and wait until the one that is under way is done."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._over.is_set():
            begun, pause = time.monotonic(), 0.0
            try:
                if self._discovery.give_next(self._give):
                    self.batches += 1
                else:
                    pause = _LEAST_PAUSE
            except Exception as error:  # noqa: BLE001  whoever started it finds out what it is
                self.error = error
                return
            self._over.wait(max(pause, self._seconds - (time.monotonic() - begun)))
