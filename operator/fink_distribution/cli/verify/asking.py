"""What is asked, and what an answer looks like; neither depends on where the counting is done."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from fink_distribution.streams.job_config import mebibytes
from fink_distribution.streams.verification import Question

_AGO = re.compile(r"(\d{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class Unverified(Exception):  # noqa: N818 - nothing is known to be wrong
    """Nothing can be said of the stream; the message says why, and what to do."""

    STATUS = 2


@dataclass(frozen=True)
class Asked:
    """A stream in Kubernetes, and what is asked of it."""

    namespace: str
    stream: str
    question: Question


class _Memory(click.ParamType[str]):
    name = "size"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check that it is one that a stream may have."""
        try:
            mebibytes(value)
        except ValueError:
            self.fail(f"{value} is no amount of memory; give one as 512Mi or 4Gi.", param, ctx)
        return value


MEMORY = _Memory()


def moment(text: str, now: datetime | None = None) -> str:
    """Return a time (RFC 3339), given as that or as how long ago it is.

    Raises
    ------
    click.BadParameter
        It is neither.
    """
    now = now or datetime.now(UTC)
    ago = _AGO.fullmatch(text)
    try:
        found = now - timedelta(**{_UNITS[ago[2]]: int(ago[1])}) if ago else datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        found = None
    if found is None or found.tzinfo is None:
        raise click.BadParameter(
            f"{text} is no time. Give one with its offset, 2026-01-31T22:00:00Z, or how long ago: 12h, 90m, 7d.",
            param_hint="--since",
        )
    return found.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def answer(said: str) -> dict[str, Any] | None:
    """Return the last line of what was said that is an answer; None when there is none."""
    for line in reversed(said.splitlines()):
        if line.startswith('{"version":'):
            found: dict[str, Any] = json.loads(line)
            return found
    return None


def step(said: str) -> str | None:
    """Return what is being done, by the last line of what was said that says so; None when none does, as while Spark has the word."""
    found = re.findall(r"^\S+ \S+ INFO distribution_job\.verify (.+)$", said, re.MULTILINE)
    return found[-1] if found else None


def errors(said: str) -> str:
    """Return what was said to be wrong; else the last words."""
    lines = [line for line in said.splitlines() if line.strip()]
    named = [line.partition(":")[2].strip() for line in lines if line.lower().startswith("error:")]
    return " ".join(named or lines[-3:])
