"""`fink start` as a process of its own, and what it prints."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fink_command import command, surroundings
from testbed.fixtures import wait_for

_PATIENCE = 240


class StartedJob:
    """One job, with its output and its log in files."""

    def __init__(self, process: subprocess.Popen[bytes], out: Path, log: Path) -> None:
        self.process = process
        self._out = out
        self._log = log

    @property
    def out(self) -> str:
        """What it has printed."""
        return self._out.read_text()

    @property
    def log(self) -> str:
        """What it has logged."""
        return self._log.read_text()

    def until(self, *texts: str) -> None:
        """Wait until it has said all of these."""
        said = ""

        def look() -> bool:
            nonlocal said
            said = self.out + self.log
            assert self.process.poll() is None or all(text in said for text in texts), f"it has ended: {said[-3000:]}"
            return all(text in said for text in texts)

        try:
            wait_for(look, _PATIENCE, f"it says {texts}")
        except BaseException:
            print(said[-5000:])
            raise

    def end(self, number: signal.Signals) -> int:
        """Send it a signal, as a terminal or a service manager does, and return its exit status."""
        os.killpg(self.process.pid, number)
        return self.ended()

    def ended(self) -> int:
        """Wait until it has ended, and return its exit status."""
        return self.process.wait(_PATIENCE)


@contextmanager
def started_job(job: str, *options: str, home: Path, **environment: str) -> Iterator[StartedJob]:
    """Start a job; it is killed at the end unless it has ended."""
    out, log = (home / f"{job}-{os.urandom(3).hex()}.{kind}" for kind in ("out", "log"))
    with out.open("wb") as stdout, log.open("wb") as stderr:
        process = subprocess.Popen(
            command("fink", "start", job, *options),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            env=surroundings({"FINK_HOME": str(home), "COLUMNS": "160", **environment}),
            start_new_session=True,
        )
    try:
        yield StartedJob(process, out, log)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
