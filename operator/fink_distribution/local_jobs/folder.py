"""The private folder of a job: its document, and the login that it reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fink_distribution.local_kafka.private import write_private


class JobFolder:
    """One job's folder, which only its owner can read.

    Parameters
    ----------
    home
        FINK_HOME.
    job, identity
        What it is, and what no other running job of its kind has: its transactional id, or its consumer group.
    """

    def __init__(self, home: Path, job: str, identity: str) -> None:
        self.path = home / "jobs" / job / identity
        self.path.mkdir(parents=True, exist_ok=True)
        self.path.chmod(0o700)

    @property
    def credentials(self) -> Path:
        """The folder of the login."""
        return self.path / "credentials"

    def write_login(self, files: Mapping[str, str]) -> None:
        """Write the files of a login."""
        self.credentials.mkdir(mode=0o700, exist_ok=True)
        for name, text in files.items():
            write_private(self.credentials / name, text)

    def write_document(self, document: Mapping[str, Any]) -> Path:
        """Write the job's document, and return its file."""
        file = self.path / "job.json"
        write_private(file, json.dumps(document, indent=2))
        return file
