"""What can go wrong, each kind with one reason, said in one line that a person can act on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from job_settings.names import close

LONGEST = 1024  # characters; the text is kept in a Kubernetes status
_NAMES_SHOWN = 12


class Reason(StrEnum):
    """Why an output, a file or a batch is not distributed; the CamelCase form is what status shows."""

    # Of one output; the others go on.
    FILTER_INVALID = "FilterInvalid"
    COLUMN_MISSING = "ColumnMissing"
    FILTER_IMPORT_FAILED = "FilterImportFailed"
    FILTER_NOT_ALLOWED = "FilterNotAllowed"
    FILTER_RAISED = "FilterRaised"
    FILTER_TIMED_OUT = "FilterTimedOut"
    TOO_MANY_MATCHES = "TooManyMatches"
    TOPIC_UNAVAILABLE = "TopicUnavailable"
    ENCODING_FAILED = "EncodingFailed"
    SCHEMA_INCOMPATIBLE = "SchemaIncompatible"
    REGISTRY_UNAVAILABLE = "RegistryUnavailable"
    # Of one file; it is put aside.
    FILE_UNREADABLE = "FileUnreadable"
    FILE_GONE = "FileGone"
    # Of the batch; it is tried again until it succeeds.
    KAFKA_UNAVAILABLE = "KafkaUnavailable"
    SOURCE_UNAVAILABLE = "SourceUnavailable"
    SOURCE_INVALID = "SourceInvalid"
    BATCH_FAILED = "BatchFailed"


@dataclass(frozen=True)
class Failure:
    """A reason and its sentence: what is wrong, where, what is allowed, what to do."""

    reason: Reason
    message: str


class JobError(Exception):
    """Something that has a reason; `failure` holds it with a text of one line, at most LONGEST characters."""

    def __init__(self, reason: Reason, message: str) -> None:
        self.failure = Failure(reason, one_line(message))
        super().__init__(self.failure.message)


class OutputError(JobError):
    """One output cannot be distributed; the others can."""


class FileError(JobError):
    """One file cannot be read; `path` names it as it was given to the reader."""

    def __init__(self, reason: Reason, path: str, message: str) -> None:
        self.path = path
        super().__init__(reason, message)


class BatchError(JobError):
    """The whole batch cannot be distributed now; it is to be tried again."""


def one_line(text: str, longest: int = LONGEST) -> str:
    """The text without line breaks, control characters or runs of white space, cut to `longest` characters."""
    flat = " ".join(re.sub(r"[\x00-\x1f\x7f\u2028\u2029]", " ", text).split())
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"


def choices(wanted: str, existing: Iterable[str]) -> str:
    """A hint for a name that does not exist: the names close to it, else the first that do exist."""
    names = list(dict.fromkeys(existing))
    if near := close(wanted, names):
        return f"Close to it: {', '.join(near)}."
    more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
    return f"There are: {', '.join(names[:_NAMES_SHOWN])}{more}." if names else "There are none."
