"""Where a stream begins in a folder that holds files already.

It is settled once, at the first start with a checkpoint, and kept beside it: whoever changes `startingFrom` later changes nothing, and a
restart goes on where it was.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from distribution_job import durable_json
from distribution_job.alert_files import AlertFile
from distribution_job.discovery import Discovery
from distribution_job.source_config import EARLIEST, LATEST, milliseconds

LOG = logging.getLogger(__name__)


class Beginning:
    def __init__(self, file: Path, wanted: str, discovery: Discovery) -> None:
        """`file`: where it is kept; `wanted`: Earliest, Latest, or a time (RFC 3339)."""
        self._file = file
        self._wanted = wanted
        self._discovery = discovery
        self._since: int | None = None

    def settle(self) -> None:
        """Before the first batch. Raises what discovery and the file system raise; then it is not settled yet."""
        self._since = durable_json.once(self._file, self._first)["since"]

    def includes(self, file: AlertFile) -> bool:
        """Whether the file is to be distributed."""
        return self._since is None or file.modified >= self._since

    def _first(self) -> dict[str, Any]:
        begun = {"startingFrom": self._wanted, "since": None}
        if self._wanted == EARLIEST or self._discovery.began():
            return begun
        if self._wanted != LATEST:
            return {**begun, "since": milliseconds(self._wanted)}
        # What a folder holds that is made later is new.
        passed_over = self._discovery.pass_over() if self._discovery.folder_exists() else 0
        LOG.info("startingFrom Latest: %d files that were there before are not distributed", passed_over)
        return begun
