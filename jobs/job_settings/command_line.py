"""What the command lines of all that runs beside the operator have in common."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from job_settings.documents import ConfigError

T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

BAD_CONFIG = 2
"""The exit status of a wrong configuration."""

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 110}
"""click's, of a command."""


def config_options(description: str, nothing: str) -> Callable[[F], F]:
    """Add --config and --check to a command, as `file` and `check`.

    Parameters
    ----------
    description
        What --config is.
    nothing
        What a command with --check does not do.
    """
    config = click.option("--config", "file", required=True, type=click.Path(path_type=Path), help=description)
    check = click.option("--check", is_flag=True, help=f"Check the configuration only: {nothing}.")
    return lambda command: config(check(command))


def load_or_exit(load: Callable[[Path], T], file: Path) -> T:
    """Load a configuration, or say each of its problems and end with BAD_CONFIG."""
    try:
        return load(file)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(f"error: {problem}", err=True)
        sys.exit(BAD_CONFIG)


def log_to_stderr() -> None:
    """Log from INFO on, a line each."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
