"""Files, and parts of files, that cannot be read, remembered on disk until they can."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from distribution_job import durable_json
from distribution_job.alert_files import AlertFile
from distribution_job.failures import Failure, Reason


@dataclass(frozen=True)
class Quarantined:
    """A file as it was when it could not be read, why, and the outputs that lack it (None: all)."""

    file: AlertFile
    failure: Failure
    outputs: tuple[str, ...] | None = None


class Quarantine:
    """One JSON file per quarantined file in `folder`; safe for several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._held: dict[str, Quarantined] = {}
        for _, document in durable_json.read_all(folder):
            failure = Failure(Reason(document["reason"]), document["message"])
            outputs = document["outputs"]
            held = Quarantined(AlertFile.from_json(document["file"]), failure, tuple(outputs) if outputs else None)
            self._held[held.file.mark] = held

    def put(self, file: AlertFile, failure: Failure, outputs: Iterable[str] | None = None) -> None:
        """Remember the file for these outputs, and for those that it is remembered for already."""
        with self._lock:
            before = self._held.get(file.mark)
            wanted = set(outputs) if outputs is not None else None
            if before is not None:
                wanted = None if wanted is None or before.outputs is None else wanted | set(before.outputs)
            held = Quarantined(file, failure, tuple(sorted(wanted)) if wanted is not None else None)
            durable_json.write(
                self._place(file),
                {
                    "file": file.to_json(),
                    "reason": failure.reason,
                    "message": failure.message,
                    "outputs": list(held.outputs) if held.outputs is not None else None,
                },
            )
            self._held[file.mark] = held

    def remove(self, file: AlertFile) -> None:
        """Forget the file: it has been read."""
        with self._lock:
            durable_json.remove(self._place(file))
            self._held.pop(file.mark, None)

    def held(self) -> list[Quarantined]:
        """All of them, by path."""
        with self._lock:
            return [self._held[mark] for mark in sorted(self._held)]

    def _place(self, file: AlertFile) -> Path:
        return self._folder / f"{hashlib.sha256(file.mark.encode()).hexdigest()[:40]}.json"
