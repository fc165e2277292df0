"""Things fetched or made once and kept for the user: whole or absent, safe for two processes at once."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder of what can be fetched again, shared by all that the user runs of this project."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "fink-distribution"


@contextmanager
def locked(file: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold an exclusive lock on a file; the kernel lets it go when the process dies, however it dies.

    Parameters
    ----------
    waiting
        Called once when another process holds the lock.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waiting()
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def made_once(final: Path, make: Callable[[Path], None], waiting: Callable[[], None]) -> Path:
    """Return a folder, made by `make` in a temporary one when it is not there yet."""
    if final.is_dir():
        return final
    with locked(final.with_name(f"{final.name}.lock"), waiting):
        if final.is_dir():
            return final
        half = final.with_name(f".{final.name}.half")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        try:
            make(half)
        except BaseException:
            shutil.rmtree(half, ignore_errors=True)
            raise
        half.rename(final)
    return final
