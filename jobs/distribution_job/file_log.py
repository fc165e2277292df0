"""Which files have been found, in which batch, and which batch is committed: a database in the checkpoint.

SQLite keeps it whole whenever the process or the machine stops, and finds one path among a million without reading the others.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from distribution_job.alert_files import AlertFile
from distribution_job.ledger import now_ms

FILE = "files.db"  # its name in the checkpoint
PASSED_OVER = -1  # in place of a batch's number: it was there before the stream began, and no batch has it
_PATIENCE = 60.0  # seconds; somebody may read it meanwhile
_FORM = 1
_TABLES = """
CREATE TABLE IF NOT EXISTS files (
    path TEXT PRIMARY KEY, modified INTEGER NOT NULL, length INTEGER NOT NULL, batch INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS files_of_batch ON files (batch);
CREATE TABLE IF NOT EXISTS batches (number INTEGER PRIMARY KEY, begun INTEGER NOT NULL, committed INTEGER);
CREATE TABLE IF NOT EXISTS driver (only INTEGER PRIMARY KEY CHECK (only = 1), token TEXT NOT NULL);
"""


class TwoDrivers(Exception):  # noqa: N818  the end of this driver, not an error of a batch
    """Another driver has been started on the same checkpoint since."""


@dataclass(frozen=True)
class Batch:
    number: int
    files: tuple[AlertFile, ...]


class FileLog:
    """Safe for several threads. Whoever opens it last is the only one that may write to it from then on.

    All methods raise sqlite3.Error when the disk fails, those that write raise TwoDrivers too.
    """

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._token = secrets.token_hex(8)
        self._database = sqlite3.connect(file, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        # Not a write-ahead log: it needs shared memory, which network file systems do not have.
        self._database.execute("PRAGMA journal_mode = DELETE")
        self._database.execute("PRAGMA synchronous = EXTRA")
        self._database.executescript(_TABLES)
        self._database.execute(f"PRAGMA user_version = {_FORM}")
        self._database.execute("INSERT OR REPLACE INTO driver VALUES (1, ?)", (self._token,))

    @property
    def began(self) -> bool:
        """Whether a batch has ever been begun."""
        with self._lock:
            return self._database.execute("SELECT 1 FROM batches LIMIT 1").fetchone() is not None

    def unknown(self, paths: Iterable[str]) -> set[str]:
        """Those of the paths that have never been found."""
        with self._lock:
            known = self._database.cursor()
            return {
                path
                for path in paths
                if known.execute("SELECT 1 FROM files WHERE path = ?", (path,)).fetchone() is None
            }

    def unfinished(self) -> Batch | None:
        """The batch that was begun and not committed, if there is one."""
        with self._lock:
            # Only the newest can be: it is asked for at each look, and there may be very many.
            newest = self._database.execute(
                "SELECT number, committed FROM batches ORDER BY number DESC LIMIT 1"
            ).fetchone()
            if newest is None or newest[1] is not None:
                return None
            asked = "SELECT path, modified, length FROM files WHERE batch = ? ORDER BY path"
            return Batch(newest[0], tuple(AlertFile(*each) for each in self._database.execute(asked, newest[:1])))

    def begin(self, files: Sequence[AlertFile]) -> Batch:
        """Give the files to a new batch."""
        with self._writing() as database:
            (number,) = database.execute("SELECT coalesce(max(number) + 1, 0) FROM batches").fetchone()
            database.execute("INSERT INTO batches VALUES (?, ?, NULL)", (number, now_ms()))
            self._insert(files, number)
        return Batch(number, tuple(sorted(files)))

    def commit(self, batch: Batch) -> None:
        """The batch is done."""
        with self._writing() as database:
            database.execute("UPDATE batches SET committed = ? WHERE number = ?", (now_ms(), batch.number))

    def pass_over(self, files: Iterable[AlertFile]) -> None:
        """Take the files for found; no batch has them."""
        with self._writing():
            self._insert(files, PASSED_OVER)

    def close(self) -> None:
        """Let it go."""
        with self._lock:
            self._database.close()

    def _insert(self, files: Iterable[AlertFile], batch: int) -> None:
        rows = ((file.path, file.modified, file.length, batch) for file in files)
        self._database.executemany("INSERT INTO files VALUES (?, ?, ?, ?)", rows)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                if self._database.execute("SELECT token FROM driver").fetchone() != (self._token,):
                    raise TwoDrivers(
                        "another driver works on the same checkpoint; this one ends. See that only one runs."
                    )
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")


def committed(file: Path) -> list[AlertFile]:
    """The files of all batches that are committed; the log is only read, also while a driver writes to it. Empty when there is no log."""
    if not file.exists():
        return []
    asked = "SELECT path, modified, length FROM files JOIN batches ON batch = number WHERE committed IS NOT NULL ORDER BY path"
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", timeout=_PATIENCE, uri=True)) as database:
        return [AlertFile(*row) for row in database.execute(asked)]
