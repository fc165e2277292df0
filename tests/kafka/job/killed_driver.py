"""The job, with a SIGKILL to itself and its JVM at one point: `KILLED_AT=before|after CLASS.METHOD [NTH CALL]`."""

from __future__ import annotations

import os
import signal
from typing import Any

from distribution_job import backlog, batches, journal, staging, transactions
from distribution_job.cli import main

CLASSES: dict[str, Any] = {
    "Backlog": backlog.Backlog,
    "Batches": batches.Batches,
    "Journal": journal.Journal,
    "Staging": staging.Staging,
    "Transactions": transactions.Transactions,
}


def _die() -> None:
    os.killpg(os.getpgrp(), signal.SIGKILL)


def arm(point: str) -> None:
    when, place, *number = point.split()
    left = int(number[0]) if number else 1
    owner, method = place.split(".")
    original = getattr(CLASSES[owner], method)

    def wrapped(*args: Any, **named: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0 and when == "before":
            _die()
        result = original(*args, **named)
        if left == 0:
            _die()
        return result

    setattr(CLASSES[owner], method, wrapped)


arm(os.environ["KILLED_AT"])
if __name__ == "__main__":
    main()
