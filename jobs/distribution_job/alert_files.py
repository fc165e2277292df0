"""The files of alerts as discovery finds them, and how their places divide them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit


@dataclass(frozen=True, order=True)
class AlertFile:
    """A file: its Hadoop path (`file:/…`, `s3a://…`), its time of modification in ms since epoch, its length in bytes."""

    path: str
    modified: int
    length: int

    def to_json(self) -> dict[str, Any]:
        return {"path": self.path, "modified": self.modified, "length": self.length}

    @staticmethod
    def from_json(document: dict[str, Any]) -> AlertFile:
        return AlertFile(document["path"], document["modified"], document["length"])


Find = Callable[[str], AlertFile | None]
"""Gives the file or the folder at a path as it is now; None when it is not there."""


def plain(path: str) -> str:
    """The path without its scheme and host: `file:///a`, `file:/a` and `/a` are one file, and Spark writes all three."""
    scheme, colon, rest = path.partition(":")
    if not colon or "/" in scheme:
        rest = path
    if rest.startswith("//"):
        rest = "/" + rest[2:].partition("/")[2]
    return rest


def encoded(place: str) -> str:
    """A plain path, percent-encoded as Spark does."""
    return quote(place, safe="/=:@!$&'()*+,;~")


def layout(path: str, base: str) -> tuple[str, ...]:
    """Where the file's run of `key=value` folders begins below `base`, and their keys; empty when it lies in none."""
    below = plain(path).removeprefix(plain(base).rstrip("/"))
    folders = below.split("/")[:-1]
    keys: list[str] = []
    while folders and "=" in folders[-1]:
        keys.insert(0, folders.pop().partition("=")[0])
    return ("/".join(folders), *keys) if keys else ()


def by_layout(files: Iterable[AlertFile], base: str) -> list[tuple[AlertFile, ...]]:
    """The files in groups that Spark can read as one table.

    It refuses files whose `key=value` folders differ, and leaves out, without a word, those that lie beside such folders.
    """
    groups: dict[tuple[str, ...], list[AlertFile]] = {}
    for file in sorted(files):
        groups.setdefault(layout(file.path, base), []).append(file)
    return [tuple(group) for group in groups.values()]


def mentioned(text: str, files: Iterable[AlertFile]) -> AlertFile | None:
    """The file whose path stands first in the text, as it is or percent-encoded; of two that begin alike, the longer."""
    best: tuple[int, int, AlertFile] | None = None
    for file in files:
        place = plain(file.path)
        for form in {place, encoded(place), urlsplit(file.path).geturl()}:
            at = text.find(form)
            if at >= 0 and (best is None or (at, -len(form)) < best[:2]):
                best = (at, -len(form), file)
    return best[2] if best else None
