"""The files of the folder that discovery watches which no batch has ended with yet."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from distribution_job.alert_files import AlertFile, plain
from distribution_job.file_log import FileLog
from distribution_job.listing import Lister


class WaitingFiles:
    """What a look at the folder finds, without what has been distributed; safe for several threads."""

    def __init__(self, make: Callable[[], Lister | None], log: FileLog) -> None:
        """`make` gives a lister that nobody else uses; without one, only the files of the batch that is under way are known to wait."""
        self._make = make
        self._lister: Lister | None = None
        self._is_made = False
        self._log = log
        self._lock = threading.Lock()
        self._given: set[str] = set()
        self._waiting: dict[str, AlertFile] = {}

    def found(self, files: Iterable[AlertFile]) -> None:
        """A batch begins with these files."""
        with self._lock:
            self._waiting |= {file.path: file for file in files}
            self._given |= {file.path for file in files}

    def distributed(self, files: Iterable[AlertFile]) -> None:
        """The batch that had these files has ended."""
        with self._lock:
            for file in files:
                self._given.discard(file.path)
                self._waiting.pop(file.path, None)

    def look(self) -> None:
        """Look at the folder. Raises what the file system and the log raise."""
        if not self._is_made:
            self._lister = self._make()
            self._is_made = True
        if self._lister is None:
            return
        try:
            new = self._lister.new(self._log.unknown)
        except FileNotFoundError:
            new = []  # it is not there yet, or no more
        with self._lock:
            self._waiting |= {file.path: file for file in new}
            left = {path for path in self._waiting if path not in self._given}
        # A batch may have taken some meanwhile, and ended.
        waiting = {path for path in self._log.unknown(left) if Path(plain(path)).exists()}
        with self._lock:
            for path in left - waiting - self._given:
                self._waiting.pop(path, None)

    def files(self) -> list[AlertFile]:
        """All that wait."""
        with self._lock:
            return list(self._waiting.values())
