"""Lines KEY=VALUE, as a shell would read them, whose values are checked as they are asked for."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from fink_distribution.local_kafka.errors import ConfigurationError
from fink_distribution.local_kafka.server_properties import Account

_ADDRESS = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]):([0-9]{1,5})")


@dataclass(frozen=True)
class Form:
    """What a value may be.

    Attributes
    ----------
    meaning
        The same for people, as it stands after "it is".
    is_secret
        Whether the value is never shown.
    """

    pattern: re.Pattern[str]
    meaning: str
    is_secret: bool = False


TOPIC = Form(re.compile(r"[A-Za-z0-9._-]{1,249}"), 'a topic\'s name: letters, digits, ".", "_" and "-"')
NAME = Form(re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"), 'letters, digits, ".", "_" and "-"')
_LIST = Form(re.compile(".*", re.DOTALL), "HOST:PORT, or several with commas between them")


class Values:
    """The values of one file; what is wrong with them is noted, so that all of it can be said at once.

    Parameters
    ----------
    home
        What ${FINK_HOME} stands for.

    Raises
    ------
    ConfigurationError
        The file cannot be read.
    """

    def __init__(self, file: Path, home: Path) -> None:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{file}: {error}") from None
        self.file = file
        self.problems = [
            f"line {line.original.line} is not KEY=VALUE" for line in parse_stream(io.StringIO(text)) if line.error
        ]
        self._is_readable = not self.problems
        self._found = dotenv_values(stream=io.StringIO(f"FINK_HOME='{home}'\n{text}")) if self._is_readable else {}

    def one(self, key: str, form: Form, default: str | None = None) -> str:
        """Return a value; the default, when there is one, in place of one that is missing or empty."""
        text = self._found.get(key) or default or ""
        if not text and self._is_readable and default is None:
            self.problems.append(f"{key} is missing; it is {form.meaning}")
        elif text and not form.pattern.fullmatch(text):
            said = "has another form" if form.is_secret else f"is {text}"
            self.problems.append(f"{key} {said}; it is {form.meaning}")
        return text

    def several(self, key: str, form: Form, default: str | None = None) -> tuple[str, ...]:
        """Return the values of a list with commas; each has the form."""
        parts = tuple(filter(None, (part.strip() for part in (self._found.get(key) or default or "").split(","))))
        if not parts and self._is_readable and default is None:
            self.problems.append(f"{key} is missing; it is {form.meaning}, or several with commas between them")
        self.problems += [
            f"{key} holds {part}; each is {form.meaning}" for part in parts if not form.pattern.fullmatch(part)
        ]
        return parts

    def addresses(self, key: str) -> Iterator[str]:
        """Yield the addresses of a list with commas."""
        for address in filter(None, (part.strip() for part in self.one(key, _LIST).split(","))):
            match = _ADDRESS.fullmatch(address)
            if match is None or not 0 < int(match[2]) < 65536:
                self.problems.append(f"{key} holds {address}, which is no HOST:PORT")
            yield address

    def account(self, prefix: str, user: Form, password: Form) -> Account:
        """Return the account whose keys begin with a prefix."""
        return Account(self.one(f"{prefix}_USER", user), self.one(f"{prefix}_PASSWORD", password))

    def check(self) -> None:
        """Raise ConfigurationError, with all that is wrong, unless nothing is."""
        if self.problems:
            raise ConfigurationError(f"{self.file}: {'; '.join(self.problems)}.")
