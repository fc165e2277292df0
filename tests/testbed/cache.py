"""Things made once and kept: keyed by what they are made of, whole or absent, safe for two checkouts at once."""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from testbed import paths
from testbed.steps import note


def fingerprint(inputs: Iterable[Path | str]) -> str:
    """A short hash of files (whole folders too, by relative names) and of plain values."""
    digest = hashlib.sha256()
    for item in inputs:
        if isinstance(item, str):
            digest.update(b"value\0" + item.encode() + b"\0")
            continue
        files = sorted(p for p in item.rglob("*") if p.is_file()) if item.is_dir() else [item]
        for file in files:
            if "__pycache__" in file.parts:
                continue
            name = str(file.relative_to(item.parent))
            digest.update(b"file\0" + name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()[:16]


@contextmanager
def locked(file: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file; the kernel lets it go when the process dies, however it dies."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            note(f"Waiting for another run of the testbed, which holds {file}")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def cached(kind: str, key: str, make: Callable[[Path], None]) -> Path:
    """The folder `kind/key` of the cache, made by `make` in a temporary folder when it is not there yet."""
    folder = paths.cache() / kind
    final = folder / key
    if final.is_dir():
        return final
    with locked(folder / f"{key}.lock"):
        if final.is_dir():
            return final
        half = folder / f".{key}.half"
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        try:
            make(half)
        except BaseException:
            shutil.rmtree(half, ignore_errors=True)
            raise
        half.rename(final)
    return final
