"""The files of alerts as discovery finds them, and how their places divide them."""

from __future__ import annotations

from collections.abc import Iterable
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


def plain(path: str) -> str:
    """The path without its scheme and host: `file:///a`, `file:/a` and `/a` are one file, and Spark writes all three."""
    scheme, colon, rest = path.partition(":")
    if not colon or "/" in scheme:
        rest = path
    if rest.startswith("//"):
        rest = "/" + rest[2:].partition("/")[2]
    return rest


def partition_keys(path: str, base: str) -> tuple[str, ...]:
    """The names of the `key=value` folders between `base` and the file."""
    below = plain(path).removeprefix(plain(base).rstrip("/"))
    return tuple(part.partition("=")[0] for part in below.split("/")[:-1] if "=" in part)


def by_layout(files: Iterable[AlertFile], base: str) -> list[tuple[AlertFile, ...]]:
    """The files in groups that Spark reads as one table: it refuses files whose partition keys differ."""
    groups: dict[tuple[str, ...], list[AlertFile]] = {}
    for file in sorted(files):
        groups.setdefault(partition_keys(file.path, base), []).append(file)
    return [tuple(group) for group in groups.values()]


def mentioned(text: str, files: Iterable[AlertFile]) -> AlertFile | None:
    """The file whose path stands first in the text, as it is or percent-encoded; of two that begin alike, the longer."""
    best: tuple[int, int, AlertFile] | None = None
    for file in files:
        place = plain(file.path)
        for form in {place, quote(place, safe="/=:@!$&'()*+,;~"), urlsplit(file.path).geturl()}:
            at = text.find(form)
            if at >= 0 and (best is None or (at, -len(form)) < best[:2]):
                best = (at, -len(form), file)
    return best[2] if best else None
