"""The files of the folder that discovery watches which no batch has ended with yet."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from distribution_job.alert_files import AlertFile, plain


class WaitingFiles:
    """What a look at the folder finds, without what has been distributed; safe for several threads.

    Of a file that has been distributed it keeps a number, some 80 bytes of memory. A folder that is not of a mounted file system is not
    looked at, since that would cost as much as Spark's own look: then only the files of the batch that is under way are known to wait.
    """

    def __init__(self, folder: str, checkpoint: Path, forget: bool = False) -> None:
        """`checkpoint`: Spark's own folder, whose log says what was distributed before this start.

        `forget`: whether a file that is gone may be forgotten, because none comes back under its name.
        """
        parts = urlsplit(folder)
        is_mounted = parts.scheme in ("", "file")
        # As Hadoop does: `..` is resolved, and links are not.
        self._folder = os.path.abspath(plain(folder)) if is_mounted else None  # noqa: PTH100
        self._checkpoint = checkpoint
        self._forget = forget
        self._lock = threading.Lock()
        self._distributed: set[int] = set()
        self._waiting: dict[str, AlertFile] = {}

    def load(self) -> None:
        """Learn what was distributed before this start."""
        paths = {hash(path) for path in distributed(self._checkpoint)}
        with self._lock:
            self._distributed |= paths

    def found(self, files: Iterable[AlertFile]) -> None:
        """A batch begins with these files."""
        with self._lock:
            self._waiting |= {plain(file.path): file for file in files}

    def distributed(self, files: Iterable[AlertFile]) -> None:
        """The batch that had these files has ended."""
        with self._lock:
            for file in files:
                path = plain(file.path)
                self._distributed.add(hash(path))
                self._waiting.pop(path, None)

    def look(self) -> None:
        """List the folder."""
        if self._folder is None:
            return
        known = set(self._distributed) if self._forget else set()
        listed: set[int] = set()
        waiting: dict[str, AlertFile] = {}
        for path in _alert_files(self._folder):
            mark = hash(path)
            listed.add(mark)
            if mark not in self._distributed and (file := _file(path)) is not None:
                waiting[path] = file
        with self._lock:
            # A batch may have ended meanwhile.
            self._waiting = {path: file for path, file in waiting.items() if hash(path) not in self._distributed}
            self._distributed -= known - listed

    def files(self) -> list[AlertFile]:
        """All that wait."""
        with self._lock:
            return list(self._waiting.values())


def distributed(checkpoint: Path) -> Iterator[str]:
    """The paths of the files of all batches that Spark has committed, as its file source has noted them.

    `sources/0` has the files by numbers of the source's own, each tenth with all before it, and `offsets` says up to which of these
    numbers a batch goes.
    """
    committed = max(_numbers(checkpoint / "commits"), default=-1)
    if committed < 0:
        return
    lines = (checkpoint / "offsets" / str(committed)).read_text(encoding="utf-8").splitlines()
    last = json.loads(lines[-1])["logOffset"]
    log = checkpoint / "sources" / "0"
    compact = max((int(file.stem) for file in log.glob("[0-9]*.compact")), default=-1)
    files = [log / f"{compact}.compact"] if compact >= 0 else []
    files += [log / str(number) for number in sorted(_numbers(log)) if number > compact]
    for file in files:
        with file.open(encoding="utf-8") as entries:
            next(entries)  # the version
            for entry in map(json.loads, entries):
                if entry["batchId"] <= last:
                    yield unquote(urlsplit(entry["path"]).path)


def _numbers(folder: Path) -> Iterator[int]:
    return (int(file.name) for file in folder.glob("[0-9]*") if file.name.isdigit())


def _alert_files(folder: str) -> Iterator[str]:
    """The paths that Spark's look would find."""
    for root, folders, names in os.walk(folder, followlinks=True):
        folders[:] = filter(_is_visible, folders)
        yield from (f"{root}/{name}" for name in names if name.endswith(".parquet") and _is_visible(name))


def _is_visible(name: str) -> bool:
    return not name.startswith(".") and (not name.startswith("_") or "=" in name)


def _file(path: str) -> AlertFile | None:
    """The file as it is now; None when it is gone, or empty: Spark leaves empty ones out."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return AlertFile(path, found.st_mtime_ns // 1_000_000, found.st_size) if found.st_size else None
