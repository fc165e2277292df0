"""What is wrong with manifests: where, what, and what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """Where an object stands.

    Attributes
    ----------
    file
        Its path, `<stdin>` for standard input.
    document
        The how manyeth YAML document of the file, from 1.
    item
        The how manyeth item of a List object, from 1; None outside of a List.
    """

    file: str
    document: int
    item: int | None = None

    def __str__(self) -> str:
        item = "" if self.item is None else f", item {self.item}"
        return f"{self.file}, document {self.document}{item}"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong.

    Attributes
    ----------
    what
        Kind and name of the object, as far as they are known.
    path
        The field, as in `spec.consumer.topics[0].name`; empty for the whole object.
    """

    origin: Origin
    what: str
    path: str
    message: str

    def __str__(self) -> str:
        return ": ".join(part for part in (str(self.origin), self.what, self.path, self.message) if part)


class ManifestError(Exception):
    """Manifests cannot be used; all that was found wrong with them, not the first alone."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = tuple(problems)
