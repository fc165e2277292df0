"""Where the password of a user comes from: a file, standard input, a prompt, or an argument that everybody can read."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from fink_distribution.cli.fink_kafka.exits import Exit, Problem, contradiction, missing
from fink_distribution.cli.fink_kafka.output import warn
from fink_distribution.errors import Stalled
from fink_distribution.resources.passwords import brought_password

_STDIN = "-"


def chosen_password(argument: str | None, file: Path | None, user: str) -> str:
    """Return the password that the options name; without one, ask for it.

    Parameters
    ----------
    argument
        The value of -p.
    file
        The value of --password-file.

    Raises
    ------
    Problem
        Both are given; none is, and there is nobody to ask; or it is no password that all clients can log in with.
    """
    if argument is not None and file is not None:
        raise contradiction("-p and --password-file: give one of them.")
    if file is not None:
        try:
            return _checked(file.read_bytes(), str(file))
        except OSError as error:
            raise Problem(Exit.MISUSED, f"--password-file {file}: {error.strerror}.") from None
    if argument == _STDIN:
        return _checked(sys.stdin.buffer.read(), "standard input")
    if argument is not None:
        warn(
            "-p PASSWORD stands in the process list and in the shell's history, where others can read it. Use --password-file FILE, -p - "
            "(standard input), or leave it out to be asked."
        )
        return _checked(argument.encode(errors="surrogateescape"), "-p")
    if not sys.stdin.isatty():
        raise missing(
            "A password is missing, and there is no terminal to ask for it. Give --password-file FILE, or -p - to read it from standard input."
        )
    return _checked(
        click.prompt(f"Password for {user}", hide_input=True, confirmation_prompt=True, err=True).encode(),
        "your answer",
    )


def _checked(content: bytes, where: str) -> str:
    try:
        return brought_password(content, where)
    except Stalled as error:
        text = error.message.partition(" Correct the Secret")[0]
        raise Problem(Exit.MISUSED, f"{text[0].upper()}{text[1:]}") from None
