"""Files that an output could not be given yet, remembered on disk until it has them."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from distribution_job import durable_json
from distribution_job.alert_files import AlertFile, all_without


@dataclass(frozen=True)
class Entry:
    """The files of one batch for one output."""

    output: str
    key: str
    files: tuple[AlertFile, ...]


class Backlog:
    """`folder/<output>/<key>.json`; what it holds in memory is what lies there. Safe for several threads."""

    def __init__(self, folder: Path, outputs: Iterable[str]) -> None:
        """Only the entries of these outputs are loaded; those of an output that is configured no more stay on disk."""
        self._folder = folder
        self._lock = threading.Lock()
        self._entries: dict[str, dict[str, Entry]] = {
            name: {
                file.stem: Entry(name, file.stem, tuple(map(AlertFile.from_json, document["files"])))
                for file, document in durable_json.read_all(self._place(name))
            }
            for name in outputs
        }

    def put(self, output: str, key: str, files: Iterable[AlertFile]) -> None:
        """Remember the files; with those that the entry has already, should a batch be repeated after a crash."""
        with self._lock:
            before = self._entries.setdefault(output, {}).get(key)
            self._write(Entry(output, key, tuple(sorted({*files, *(before.files if before else ())}))))

    def discard(self, output: str, key: str, files: Iterable[AlertFile]) -> None:
        """Take files out of an entry, which goes with the last; those of one that is not there are gone already."""
        with self._lock:
            entry = self._entries.get(output, {}).get(key)
            if entry is None:
                return
            left = tuple(all_without(entry.files, files))
            if left:
                self._write(Entry(output, key, left))
            else:
                durable_json.remove(self._place(output) / f"{key}.json")
                del self._entries[output][key]

    def entries(self, output: str) -> list[Entry]:
        """What waits for the output, the oldest first."""
        with self._lock:
            return [entry for _, entry in sorted(self._entries[output].items())]

    def left(self, entry: Entry) -> tuple[AlertFile, ...]:
        """What is in an entry still."""
        with self._lock:
            now = self._entries[entry.output].get(entry.key)
            return now.files if now is not None else ()

    def files(self) -> set[AlertFile]:
        """All files that wait, also for outputs that are configured no more, and may be again."""
        with self._lock:
            folders = [folder for folder in self._folder.glob("*") if folder.is_dir()]
            documents = [document for folder in folders for _, document in durable_json.read_all(folder)]
            return {AlertFile.from_json(file) for document in documents for file in document["files"]}

    def pending(self, output: str) -> int:
        """How many files wait for the output."""
        with self._lock:
            return sum(len({file.path for file in entry.files}) for entry in self._entries[output].values())

    def _write(self, entry: Entry) -> None:
        document = {"output": entry.output, "files": [file.to_json() for file in entry.files]}
        durable_json.write(self._place(entry.output) / f"{entry.key}.json", document)
        self._entries[entry.output][entry.key] = entry

    def _place(self, output: str) -> Path:
        return self._folder / durable_json.file_name(output)
