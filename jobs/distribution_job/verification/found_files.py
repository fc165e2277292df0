"""Which files discovery has found in batches that are committed, from Spark's own log of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote


@dataclass(frozen=True)
class FoundFile:
    """`modified`: ms since 1970. `number`: that of the look at the folder which has found it."""

    path: str
    modified: int
    number: int


def committed(checkpoint: Path) -> list[FoundFile]:
    """The files of all committed batches; `checkpoint` is Spark's folder.

    It is a JSON line for each file (Spark 4.1, FileStreamSourceLog), in a file for each look; every tenth file holds all before it too.
    """
    last = max(_numbers(checkpoint / "commits"), default=None)
    if last is None:
        return []
    # A version, the batch's own facts, and the source's offset.
    offset = json.loads((checkpoint / "offsets" / str(last)).read_text(encoding="utf-8").splitlines()[2])
    return [each for each in _all(checkpoint / "sources" / "0") if each.number <= offset["logOffset"]]


def _all(folder: Path) -> Iterator[FoundFile]:
    compact = max((int(file.stem) for file in folder.glob("[0-9]*.compact")), default=-1)
    files = [folder / f"{compact}.compact"] if compact >= 0 else []
    files += [folder / str(number) for number in sorted(_numbers(folder)) if number > compact]
    for file in files:
        for line in file.read_text(encoding="utf-8").splitlines()[1:]:
            document = json.loads(line)
            # It is percent-encoded, other than what discovery gives.
            yield FoundFile(unquote(document["path"]), document["timestamp"], document["batchId"])


def _numbers(folder: Path) -> Iterator[int]:
    return (int(file.name) for file in folder.glob("[0-9]*") if file.name.isdecimal())
