"""Things made once and kept: keyed by what they are made of, whole or absent, safe for two checkouts at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path

from fink_distribution.local_kafka import cache
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


def locked(file: Path) -> AbstractContextManager[None]:
    """Hold an exclusive lock on a file; whoever waits for it says so."""
    return cache.locked(file, lambda: note(f"Waiting for another run of the testbed, which holds {file}"))


def cached(kind: str, key: str, make: Callable[[Path], None]) -> Path:
    """The folder `kind/key` of the cache, made by `make` in a temporary folder when it is not there yet."""
    final = paths.cache() / kind / key
    return cache.made_once(final, make, lambda: note(f"Waiting for another run of the testbed, which makes {final}"))
