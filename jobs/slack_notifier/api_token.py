"""Where Slack's token comes from: a file, or, for scripts of one's own, the environment."""

from __future__ import annotations

import os
import re
from pathlib import Path

FILE_VARIABLE = "SLACK_API_TOKEN_FILE"
KEY = "SLACK_API_TOKEN"
# What Slack gives out: xoxb-, xoxp-, xoxe.xoxp- and the like. Anything else would end in an HTTP header, and in its error messages.
_TOKEN = re.compile(r"xox[A-Za-z0-9._-]+", re.ASCII)
_LINE = re.compile(rf"^\s*(?:export\s+)?{KEY}\s*=\s*(?P<value>.*?)(?:[ \t]+#.*)?\s*$", re.MULTILINE)


class TokenError(Exception):
    """There is no usable token. The text never holds what was found in its place."""


def find() -> str:
    """The token of the file that SLACK_API_TOKEN_FILE names, else of the variable SLACK_API_TOKEN.

    Raises
    ------
    TokenError
        Neither is set, or what it holds is no token.
    """
    if os.environ.get(FILE_VARIABLE):
        return read(Path(os.environ[FILE_VARIABLE]))
    if os.environ.get(KEY):
        return _checked(os.environ[KEY], f"the environment variable {KEY}")
    raise TokenError(
        f"No token for Slack. Write it into a file that only you can read, and set {FILE_VARIABLE} to its path; "
        f"or set {KEY} itself, which other processes of yours can see."
    )


def read(file: Path) -> str:
    """The token of a file: its only content, or the value of its line SLACK_API_TOKEN=...

    Raises
    ------
    TokenError
        The file cannot be read, or holds no token.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise TokenError(f"The token file cannot be read: {error}. Give one that holds Slack's token.") from error
    except UnicodeDecodeError:
        raise TokenError(f"{file} is no text. Give a file that holds Slack's token alone.") from None
    lines = [match["value"] for match in _LINE.finditer(text)]
    # The last one counts, as it would in a shell.
    return _checked(lines[-1] if lines else text, str(file))


def _checked(text: str, where: str) -> str:
    token = text.strip().strip("\"'")
    if _TOKEN.fullmatch(token) is None:
        raise TokenError(
            f"What stands in {where} is no token of Slack's. Give one that begins with xoxb- (a bot's), alone or as {KEY}=..."
        )
    return token
