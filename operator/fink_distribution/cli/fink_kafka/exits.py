"""How `fink_kafka` ends: its exit statuses, and the errors that have them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

import click


class Exit(IntEnum):
    """The exit status; `EXIT_STATUS` describes them to people."""

    DONE = 0
    FAILED = 1
    MISUSED = 2
    MISSING = 3
    CONTRADICTION = 4
    UNREACHABLE = 5
    REFUSED = 6
    NOT_THERE = 7
    PORT_TAKEN = 8
    TOOL = 9
    CONFIGURATION = 10


EXIT_STATUS = """\b
Exit status:
  0   done, or so already
  1   Kafka could not do it; the message says why
  2   an option is unknown, or its value cannot be used
  3   an option is missing
  4   options contradict each other
  5   no Kafka runs here, or it does not answer
  6   Kafka refused the login, or the login may not do this
  7   the topic, user or permission to be shown or removed is not there
  8   start: somebody else listens at a broker's port
  9   start: Java or Maven is missing, too old, or failed
  10  the configuration file, or that of --command-config, is wrong
"""


class Problem(click.ClickException):
    """An error with its exit status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.exit_code = status  # type: ignore[misc]  # click has one for each class


def missing(message: str) -> Problem:
    """Return the error of an option that is missing."""
    return Problem(Exit.MISSING, message)


def contradiction(message: str) -> Problem:
    """Return the error of options that do not go together."""
    return Problem(Exit.CONTRADICTION, message)


def refuse_both(add: bool, delete: bool) -> None:
    """Refuse -a and -d together."""
    if add and delete:
        raise contradiction("-a adds and -d deletes: give one of them.")


@contextmanager
def statuses() -> Iterator[None]:
    """Give click's own errors their exit statuses."""
    try:
        yield
    except (click.MissingParameter, click.BadOptionUsage) as error:
        error.exit_code = Exit.MISSING  # type: ignore[misc]  # the only way that click leaves
        raise
