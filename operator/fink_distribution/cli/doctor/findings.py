"""What a look at something has found. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Area(StrEnum):
    """What is looked at."""

    PYTHON = "python"
    JAVA = "java"
    KAFKA = "kafka"
    KUBERNETES = "kubernetes"


class State(StrEnum):
    """How it is."""

    OK = "ok"
    BAD = "not ok"
    ABSENT = "not set up"


@dataclass(frozen=True)
class Finding:
    """One line.

    Attributes
    ----------
    found
        What is there: a version, an address, a right.
    mend
        What to do, unless it is ok.
    """

    area: Area
    what: str
    state: State
    found: str
    mend: str = ""

    def as_data(self) -> dict[str, str]:
        """Return the line for programs."""
        return {
            "area": self.area.value,
            "what": self.what,
            "state": self.state.value,
            "found": self.found,
            **({"mend": self.mend} if self.mend else {}),
        }


def ills(found: Iterable[Finding], *, must_be_there: bool) -> list[Finding]:
    """Return what is wrong.

    Parameters
    ----------
    must_be_there
        Whether what is not set up is wrong, too.
    """
    return [each for each in found if each.state is State.BAD or (must_be_there and each.state is State.ABSENT)]
