"""Looking for Parquet files below a folder, without looking at those again that were there before."""

from __future__ import annotations

import logging
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from pyspark.sql import SparkSession

from distribution_job.alert_files import AlertFile, plain

LOG = logging.getLogger(__name__)
SUFFIX = ".parquet"
METADATA = "_spark_metadata"
_SETTLED = 2.0  # seconds; some file systems keep times in whole seconds, two at a time
_AGAIN, _AGAIN_AT_MOST = 30.0, 600.0  # seconds between two looks that trust no time of a folder
_REMEMBERED = 16  # folders whose names are kept in memory

Unknown = Callable[[Iterable[str]], set[str]]
"""Gives those of the paths that have never been found."""


class Lister(Protocol):
    """Looks at a folder again and again; used by one thread at a time."""

    def new(self, unknown: Unknown) -> list[AlertFile]:
        """The files that were not there at the last look and are not known otherwise, in no order; none that is empty, until it has bytes. Raises what the file system raises."""
        ...


def find(spark: SparkSession, path: str) -> AlertFile | None:
    """The file or folder at a path of any of Hadoop's file systems as it is now; None when it is not there. Raises what the file system raises."""
    jvm = spark._jvm
    place = jvm.org.apache.hadoop.fs.Path(path)
    system = place.getFileSystem(spark._jsc.hadoopConfiguration())
    if not system.exists(place):
        return None
    status = system.getFileStatus(place)
    return AlertFile(path, status.getModificationTime(), status.getLen())


def lister(spark: SparkSession, folder: str) -> Lister:
    """The one for this folder."""
    place = spark._jvm.org.apache.hadoop.fs.Path(folder)
    system = place.getFileSystem(spark._jsc.hadoopConfiguration())
    whole = system.makeQualified(place).toString()
    if whole.startswith("file:") and find(spark, f"{whole}/{METADATA}") is None:
        return LocalLister(plain(whole))
    return SparkLister(spark, folder)


def is_hidden(name: str) -> bool:
    """Whether Spark would leave the file or folder of this name alone (HadoopFSUtils.shouldFilterOutPathName)."""
    return (name.startswith("_") and "=" not in name) or name.startswith(".") or name.endswith("._COPYING_")


@dataclass
class _Folder:
    """What is known of a folder. `seen`: when its time was first seen to be `modified`. `mark`: another when its files' names are others.

    `empty`: the paths of files that had no bytes, and may have some without their folder being another.
    """

    modified: int
    seen: float
    settled: bool = False
    mark: int = 0
    folders: list[str] = field(default_factory=list)
    empty: set[str] = field(default_factory=set)


class LocalLister:
    """A folder of this machine, or of one that is mounted.

    A folder whose time of modification has not changed has no new names, so only its subfolders are looked at: a look costs a call for each
    folder, however many files they hold. Not every file system keeps those times, so now and then all names are compared, and where that
    finds a file the times are trusted no more.
    """

    def __init__(self, folder: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._root = folder
        self._clock = clock
        self._folders: dict[str, _Folder] = {}
        self._names: OrderedDict[str, set[str]] = OrderedDict()
        self._trusted = True
        self._wait = _AGAIN
        self._next_comparison = clock() + self._wait

    def new(self, unknown: Unknown) -> list[AlertFile]:
        """As `Lister.new` says."""
        now = self._clock()
        all_names = now >= self._next_comparison
        Path(self._root).stat()
        try:
            found = list(self._below(self._root, unknown, now, all_names or not self._trusted))
        except BaseException:
            # What was found before the error would be remembered, and nobody would have it.
            self._folders.clear()
            self._names.clear()
            raise
        if all_names:
            self._wait = min(2 * self._wait, _AGAIN_AT_MOST)
            self._next_comparison = now + self._wait
        return found

    def _below(self, folder: str, unknown: Unknown, now: float, all_names: bool) -> Iterator[AlertFile]:
        try:
            modified = Path(folder).stat().st_mtime_ns
        except FileNotFoundError:
            self._folders.pop(folder, None)
            return
        known = self._folders.get(folder)
        changed = known is None or known.modified != modified
        if known is None or changed:
            empty = known.empty if known is not None else set()
            known = self._folders[folder] = _Folder(modified, now, empty=empty)
        if changed or not known.settled or all_names:
            was_settled = known.settled
            # What came within the same tick of the file system's clock as the last change is found by the look after it.
            known.settled = now - known.seen >= _SETTLED
            for file in self._listed(folder, known, unknown):
                yield file
                if was_settled:
                    self._trusted = False
        yield from _filled(known)
        for name in known.folders:
            yield from self._below(f"{folder}/{name}", unknown, now, all_names)

    def _listed(self, folder: str, known: _Folder, unknown: Unknown) -> Iterator[AlertFile]:
        folders, files = [], set()
        with os.scandir(folder) as entries:
            for entry in entries:
                if is_hidden(entry.name) or not _is_text(entry, folder):
                    continue
                if entry.is_dir():
                    folders.append(entry.name)
                elif entry.name.endswith(SUFFIX):
                    files.add(entry.name)
        known.folders = sorted(folders)
        mark, before = hash(frozenset(files)), known.mark
        known.mark = mark
        if mark == before:
            return
        names = files - self._names.get(folder, set())
        self._names[folder] = files
        self._names.move_to_end(folder)
        while len(self._names) > _REMEMBERED:
            self._names.popitem(last=False)
        for path in unknown(f"file:{folder}/{name}" for name in names):
            try:
                status = Path(plain(path)).stat()
            except FileNotFoundError:
                continue
            if status.st_size:
                yield _file(path, status)
            else:
                known.empty.add(path)


def _filled(folder: _Folder) -> Iterator[AlertFile]:
    for path in sorted(folder.empty):
        try:
            status = Path(plain(path)).stat()
        except FileNotFoundError:
            folder.empty.discard(path)
            continue
        if status.st_size:
            folder.empty.discard(path)
            yield _file(path, status)


def _file(path: str, status: os.stat_result) -> AlertFile:
    return AlertFile(path, status.st_mtime_ns // 1_000_000, status.st_size)


def _is_text(entry: os.DirEntry[str], folder: str) -> bool:
    try:
        entry.name.encode()
    except UnicodeEncodeError:
        LOG.warning("%r in %s is not read: its name is not UTF-8. Rename it.", os.fsencode(entry.name), folder)
        return False
    return True


class SparkLister:
    """A folder of any of Hadoop's file systems, or one that a Spark stream writes (`_spark_metadata` says which files count).

    Each look lists all of it: object stores have no folders whose time could be looked at.
    """

    def __init__(self, spark: SparkSession, folder: str) -> None:
        self._spark = spark
        self._folder = folder
        self._seen: set[str] = set()

    def new(self, unknown: Unknown) -> list[AlertFile]:
        """As `Lister.new` says."""
        reader = self._spark.read.format("binaryFile").option("recursiveFileLookup", "true")
        found = reader.option("pathGlobFilter", f"*{SUFFIX}").load(self._folder)
        # In one string: the list would be fetched from the JVM one by one.
        text = self._spark._jvm.org.apache.hadoop.util.StringUtils.join("\n", found._jdf.inputFiles())
        paths = {_path(uri) for uri in text.splitlines()}
        new = unknown(paths - self._seen)
        files = [file for path in new if (file := find(self._spark, path)) is not None]
        # One without bytes is looked at again: it may have some later.
        self._seen = paths - {file.path for file in files if not file.length}
        return [file for file in files if file.length]


def _path(uri: str) -> str:
    """As Hadoop writes a path: without an empty host, and without percent-encoding."""
    return unquote(f"file:{uri.removeprefix('file://')}" if uri.startswith("file:///") else uri)
