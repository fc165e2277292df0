"""`fink` and `fink_kafka` as a user runs them: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Done:
    """What a command left."""

    status: int
    out: str
    err: str


def fink(*arguments: str, config: Path | None = None, stdin: str = "", **environment: str) -> Done:
    """Run a command to its end.

    Parameters
    ----------
    config
        The file that says how to reach Kafka.
    environment
        Variables besides the caller's; none of the caller's that steer `fink` or colours are handed on.
    """
    config_variable = {} if config is None else {"FINK_KAFKA_CONFIG": str(config)}
    return _run("fink", arguments, stdin, {**config_variable, **environment})


def fink_kafka(*arguments: str, home: Path, stdin: str = "", **environment: str) -> Done:
    """Run `fink_kafka` to its end, with its configuration and data in a folder."""
    return _run("fink_kafka", arguments, stdin, {"FINK_HOME": str(home), **environment})


def _run(program: str, arguments: Sequence[str], stdin: str, environment: Mapping[str, str]) -> Done:
    done = subprocess.run(
        command(program, *arguments),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env=surroundings(environment),
        timeout=120,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def command(program: str, *arguments: str) -> list[str]:
    """Return the command line of one of the installed commands."""
    return [str(Path(sys.executable).with_name(program)), *arguments]


def surroundings(environment: Mapping[str, str]) -> dict[str, str]:
    """Return these variables and the caller's, but for those that steer the commands or colours."""
    steering = ("FINK_", "NO_COLOR", "FORCE_COLOR", "TTY_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(steering)}
    return {**kept, **environment}
