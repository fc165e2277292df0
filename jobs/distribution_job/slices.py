"""How much of a batch goes into one transaction."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from distribution_job.alert_files import AlertFile

_SECONDS = 10.0  # a transaction is to take at most so long: readers see its alerts when it is over
_BYTES = 96 * 1024 * 1024  # of encoded alerts, which the driver holds in memory
_FIRST, _LEAST, _MOST = 8 * 1024 * 1024, 64 * 1024, 256 * 1024 * 1024  # bytes of files
_GROWTH = 2.0


class Slices:
    """Cuts a batch's files by what the last ones took, so that memory and the time of a transaction do not grow with the batch.

    A file or a part of one (`AlertReader.parts`) is never divided here, so the largest sets the least memory.
    """

    def __init__(self) -> None:
        self._target = float(_FIRST)
        self._is_warm = False

    def cut(self, files: Iterable[AlertFile]) -> list[AlertFile]:
        """The first files, at least one, of the size that is right now."""
        taken: list[AlertFile] = []
        size = 0
        for file in files:
            if taken and size + file.size > self._target:
                break
            taken.append(file)
            size += file.size
        return taken

    def note(self, files: Sequence[AlertFile], seconds: float, encoded_bytes: int) -> None:
        """How long such files took, and how large their alerts were, encoded."""
        size = sum(file.size for file in files)
        # Spark compiles for the first ones, and its Python workers import the filters: their time says nothing of the next ones.
        pace = _SECONDS / max(seconds, 0.001) if self._is_warm else math.inf
        self._is_warm = True
        fit = min(pace, _BYTES / max(encoded_bytes, 1))
        if fit < 1:
            self._target = max(size * fit, self._target / _GROWTH, _LEAST)
        else:
            # What was small says little of what is large: it may only grow to twice what was seen to go well, and need not shrink.
            self._target = min(max(self._target, size * min(fit, _GROWTH)), _MOST)

    def shrink(self) -> None:
        """It failed, perhaps because it was too much."""
        self._target = max(self._target / _GROWTH, _LEAST)
