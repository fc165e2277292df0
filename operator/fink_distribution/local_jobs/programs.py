"""The programs of the jobs' packages, which this package starts and does not import."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import NoReturn

from fink_distribution.local_kafka.errors import ToolError

JOB, CONSOLE, NOTIFIER = "distribution_job", "distribution_job.topic_console", "slack_notifier"
VERIFICATION = "distribution_job.verify"
NEEDED = {
    JOB: ("distribution_job", "pyspark"),
    CONSOLE: ("distribution_job", "pyspark"),
    VERIFICATION: ("distribution_job", "pyspark"),
    NOTIFIER: ("slack_notifier", "slack_sdk"),
}
"""What a program needs that the operator alone does not."""

INSTALL = "pip install '.[jobs]'"
"""The command that installs it, in a checkout."""


def require(program: str) -> None:
    """Raise ToolError unless what a program needs is installed."""
    missing = [name for name in NEEDED[program] if importlib.util.find_spec(name) is None]
    if missing:
        raise ToolError(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed: {INSTALL}")


def become(program: str, arguments: Sequence[str]) -> NoReturn:
    """Replace this process by a program, so that signals, exit status and terminal are its own."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", program, *arguments])  # noqa: S606 - no shell is what is wanted


def answered(program: str, arguments: Sequence[str]) -> str:
    """Run a program to its end, whatever its exit status, and return what it prints; what it logs goes to this process's log."""
    words = [sys.executable, "-m", program, *arguments]
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=False, stdin=subprocess.DEVNULL).stdout


def check(program: str, arguments: Sequence[str]) -> str | None:
    """Run a program that only checks; what it says is wrong, or None."""
    done = subprocess.run(
        [sys.executable, "-m", program, *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return None if done.returncode == 0 else (done.stderr or done.stdout).strip()
