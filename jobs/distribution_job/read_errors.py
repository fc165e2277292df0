"""What an error of Spark says about the files it was reading."""

from __future__ import annotations

import re
from collections.abc import Sequence

from distribution_job.alert_files import AlertFile, mentioned
from distribution_job.failures import FileError, Reason, one_line

# Spark's error conditions (common/utils/src/main/resources/error/error-conditions.json, 4.1).
_UNREADABLE = re.compile(r"\[FAILED_READ_FILE\.(\w+)\]")
_GONE = re.compile(r"\[PATH_NOT_FOUND\]|FAILED_READ_FILE\.FILE_NOT_EXIST|FileNotFoundException")
_CAUSE = re.compile(r"Caused by: [\w.$]*?(?:Exception|Error): ([^\n]+)")
# A condition of Spark's, or what its Parquet library says of a footer: both without the file's name.
_UNUSABLE = re.compile(
    r"\[[A-Z][A-Z_]{5,}(?:\.\w+)?\] ([^\n]+)|((?:can not read FileMetaData|[\w.]*T(?:Protocol|Transport)Exception)[^\n]*)"
)
_SCHEMAS = ("CANNOT_MERGE_SCHEMAS", "CANNOT_MERGE_INCOMPATIBLE_DATA_TYPE")


def unreadable(error: BaseException, files: Sequence[AlertFile]) -> FileError | None:
    """The one file of `files` that the error blames; None when it blames something else."""
    text = str(error)
    gone = _GONE.search(text)
    broken = gone or _UNREADABLE.search(text)
    file = mentioned(text[broken.start() :], files) if broken else None
    if broken is None or file is None:
        return None
    if gone:
        message = f"The file {file.path} was found and is gone. Put it back, or let it be if its alerts are not wanted."
        return FileError(Reason.FILE_GONE, file.path, message)
    cause = _CAUSE.search(text, broken.end())
    detail = one_line(cause.group(1), 300) if cause else "it is damaged or not Parquet"
    return FileError(
        Reason.FILE_UNREADABLE,
        file.path,
        f"The file {file.path} ({file.length} bytes) cannot be read: {detail}. It is left out until it changes or the job "
        "restarts; write it again, complete, under another name and rename it into place.",
    )


def unusable(error: BaseException, file: AlertFile) -> FileError | None:
    """What keeps a file that can be read from being a table; None when the error is about something else."""
    found = _UNUSABLE.search(str(error))
    if found is None:
        return None
    problem = one_line((found.group(1) or found.group(2)).partition("SQLSTATE")[0], 300).rstrip(" .")
    return FileError(
        Reason.FILE_UNREADABLE,
        file.path,
        f"The file {file.path} ({file.length} bytes) cannot be read as a table: {problem}. It is left out until it changes or the job restarts; write it "
        "again, complete and with other columns, under another name, and rename it into place.",
    )


def of_one_table(error: BaseException) -> bool:
    """Whether the files cannot be one table: a column has different types in them, or one of them is no table by itself."""
    text = str(error)
    return any(condition in text for condition in _SCHEMAS) or _UNUSABLE.search(text) is not None
