"""Running a tool to its end, quietly: its output goes to a log and is shown when it fails."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from testbed import paths
from testbed.errors import TestbedError

SHOWN_LINES = 15


class AbandonedError(Exception):
    """The person or the system has ended the run: nothing more is to be started."""


_lock = threading.Lock()
_running: set[subprocess.Popen[str]] = set()
_over = threading.Event()


def abandon() -> None:
    """End every command that runs, in whatever thread, and let none start any more."""
    with _lock:
        _over.set()
        for child in _running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGTERM)


def resume() -> None:
    """Let commands start again, to clean up; only when no other thread is left that could start what is not wanted."""
    _over.clear()


def check_not_abandoned() -> None:
    """Raise when the run is over."""
    if _over.is_set():
        raise AbandonedError


def run(
    args: Sequence[str | Path],
    *,
    log: str | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: str | None = None,
) -> str:
    """Run a command and return what it printed; with `log`, its output is kept in that log of the cache instead."""
    words = [str(a) for a in args]
    if log is None:
        return _communicate(words, subprocess.PIPE, cwd, env, stdin)
    file = paths.cache() / "logs" / f"{log}-{os.getpid()}.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("w") as out:
            _communicate(words, out, cwd, env, stdin)
    except TestbedError as error:
        last = "\n".join(file.read_text(errors="replace").strip().splitlines()[-SHOWN_LINES:])
        raise TestbedError(f"{error}{last}\nAll of its output: {file}") from None
    file.unlink()
    return ""


def _communicate(
    words: list[str], out: int | IO[str], cwd: Path | None, env: Mapping[str, str] | None, stdin: str | None
) -> str:
    with _lock:
        check_not_abandoned()
        child = subprocess.Popen(
            words,
            cwd=cwd,
            env={**os.environ, **(env or {})},
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE if out == subprocess.PIPE else subprocess.STDOUT,
            text=True,
            start_new_session=True,  # so that it can be ended with all that it has started
        )
        _running.add(child)
    try:
        output, complaints = child.communicate(stdin)
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGTERM)
        raise
    finally:
        with _lock:
            _running.discard(child)
    check_not_abandoned()
    if child.returncode != 0:
        last = "\n".join(f"{output or ''}{complaints or ''}".strip().splitlines()[-SHOWN_LINES:])
        raise TestbedError(f"`{' '.join(words[:4])} ...` ended with code {child.returncode}:\n{last}")
    return output or ""
