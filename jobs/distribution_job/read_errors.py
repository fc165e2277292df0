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


def schemas_differ(error: BaseException) -> bool:
    """Whether the files cannot be one table, since a column has different types in them."""
    return any(condition in str(error) for condition in _SCHEMAS)
