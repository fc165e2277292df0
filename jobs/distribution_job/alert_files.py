"""The files of alerts as discovery finds them, and how their places divide them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any
from urllib.parse import quote, urlsplit

_PART = re.compile(r"#(\d+)-(\d+)/(\d+)$")


@dataclass(frozen=True, order=True)
class AlertFile:
    """A file: its Hadoop path (`file:/…`, `s3a://…`), its time of modification in ms since epoch, its length in bytes.

    Or, of a file that is too large for one delivery, a part: its rows from `begin` up to `end`, of `rows` in all, which is 0 for a whole file.
    """

    path: str
    modified: int
    length: int
    begin: int = 0
    end: int = 0
    rows: int = 0

    @property
    def is_part(self) -> bool:
        return self.rows > 0

    @property
    def whole(self) -> AlertFile:
        return AlertFile(self.path, self.modified, self.length)

    @property
    def mark(self) -> str:
        """What tells it from all other files and parts; of a whole file, its path."""
        return f"{self.path}#{self.begin}-{self.end}/{self.rows}" if self.is_part else self.path

    @staticmethod
    def from_mark(mark: str) -> AlertFile:
        """The file or part with this mark; the file's time and length are not in it."""
        part = _PART.search(mark)
        return AlertFile(mark[: part.start()], 0, 0, *map(int, part.groups())) if part else AlertFile(mark, 0, 0)

    @property
    def size(self) -> int:
        """In bytes: its length, or of a part its share of it."""
        return self.length * (self.end - self.begin) // self.rows if self.is_part else self.length

    def to_json(self) -> dict[str, Any]:
        document = {"path": self.path, "modified": self.modified, "length": self.length}
        return {**document, "begin": self.begin, "end": self.end, "rows": self.rows} if self.is_part else document

    @staticmethod
    def from_json(document: dict[str, Any]) -> AlertFile:
        return AlertFile(**document)


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


def divided(part: AlertFile, number: int) -> list[AlertFile]:
    """A part in so many of about as many rows."""
    rows = part.end - part.begin
    bounds = [part.begin + index * rows // number for index in range(number + 1)]
    return [replace(part, begin=begin, end=end) for begin, end in pairwise(bounds)]


def without(file: AlertFile, gone: Iterable[AlertFile]) -> list[AlertFile]:
    """What is left of a file, or of a part, without these files and parts; they may overlap."""
    same = [each for each in gone if each.path == file.path]
    if not same:
        return [file]
    if not all(each.is_part for each in same):
        return []
    begin, end, rows = (file.begin, file.end, file.rows) if file.is_part else (0, same[0].rows, same[0].rows)
    left = []
    for each in sorted(same, key=lambda each: each.begin):
        if begin < min(each.begin, end):
            left.append(replace(file, begin=begin, end=min(each.begin, end), rows=rows))
        begin = max(begin, each.end)
    return [*left, replace(file, begin=begin, end=end, rows=rows)] if begin < end else left


def all_without(files: Iterable[AlertFile], gone: Iterable[AlertFile]) -> list[AlertFile]:
    """What is left of each, as `without` says."""
    by_path: dict[str, list[AlertFile]] = {}
    for each in gone:
        by_path.setdefault(each.path, []).append(each)
    return [part for file in files for part in without(file, by_path.get(file.path, ()))]


def joined(parts: Iterable[AlertFile]) -> list[AlertFile]:
    """Of each file the whole, where all its parts are there, and else its parts."""
    by_path: dict[str, list[AlertFile]] = {}
    for part in parts:
        by_path.setdefault(part.path, []).append(part)
    found: list[AlertFile] = []
    for some in by_path.values():
        whole = some[0].whole
        found += some if without(whole, some) else [whole]
    return found


def by_layout(files: Iterable[AlertFile], base: str) -> list[tuple[AlertFile, ...]]:
    """The files in groups that Spark can read as one table.

    It refuses files whose `key=value` folders differ, and leaves out, without a word, those that lie beside such folders. The parts of a file
    are a group by themselves: their rows are chosen by their numbers.
    """
    groups: dict[tuple[str, ...], list[AlertFile]] = {}
    for file in sorted(files):
        apart = file.path if file.is_part else ""
        groups.setdefault((apart, *layout(file.path, base)), []).append(file)
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
