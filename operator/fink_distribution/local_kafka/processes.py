"""Processes that outlive the command that started them: known again later, and ended only when surely the same.

A process id alone does not name a process: after a crash or a restart of the machine another may bear it. So the time at which
it was started is written down with it.
"""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import psutil

_SHOWN_LINES = 15
_LOOK_EVERY_SECONDS = 0.05
_GONE_SECONDS = 10.0


def identify(pid: int) -> dict[str, float]:
    """Return what tells this process from any other, past or future."""
    return {"pid": pid, "started": psutil.Process(pid).create_time()}


def find(identity: Mapping[str, float]) -> psutil.Process | None:
    """Return the process, if it is still the same one and no zombie."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(int(identity["pid"]))
        # The kernel counts in hundredths of a second; psutil adds the boot time, which a clock adjustment may move a little.
        same = abs(process.create_time() - identity["started"]) < 2
        if same and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def end(process: psutil.Process, *, gently: float = 0) -> bool:
    """End a process, and say whether it did so by itself.

    Parameters
    ----------
    gently
        How many seconds it gets to do it by itself.
    """
    with contextlib.suppress(psutil.NoSuchProcess):
        if gently:
            process.send_signal(signal.SIGTERM)
            if _ends(process, gently):
                return True
        process.kill()
        _ends(process, _GONE_SECONDS)
        return False
    return True


def tail(log: Path) -> str:
    """Return the last lines that a process has written, and where the rest is."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return f"{last_lines(text)}\nAll of its log: {log}".lstrip("\n")


def last_lines(text: str) -> str:
    """Return the end of what a program has said: as much as one wants to see of a failure."""
    return "\n".join(text.strip().splitlines()[-_SHOWN_LINES:])


def _ends(process: psutil.Process, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not _has_ended(process):
        if time.monotonic() > deadline:
            return False
        time.sleep(_LOOK_EVERY_SECONDS)
    return True


def _has_ended(process: psutil.Process) -> bool:
    """Say whether it has ended, if only to wait as a zombie for a slow init to notice: waiting for that would take seconds."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
