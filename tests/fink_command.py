"""`fink` as a user runs it: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
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
    steering = ("FINK_", "NO_COLOR", "FORCE_COLOR", "TTY_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(steering)}
    config_variable = {} if config is None else {"FINK_KAFKA_CONFIG": str(config)}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("fink")), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        env={**kept, **config_variable, **environment},
        timeout=120,
    )
    return Done(done.returncode, done.stdout, done.stderr)
