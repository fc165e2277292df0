"""A Python filter as a column that never fails the batch: a struct of the match and, when the filter failed, of the error."""

from __future__ import annotations

import contextlib
import re
import socket
import traceback
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from types import FunctionType
from typing import Any

import numpy as np
import pandas as pd
from pyspark import TaskContext
from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812  pyspark's own convention
from pyspark.sql.types import BooleanType, StringType, StructField, StructType

from distribution_job import python_filters, time_limit, worker_upkeep
from distribution_job.failures import Failure, OutputError, Reason, one_line
from distribution_job.outputs import FILTER_SECONDS
from distribution_job.time_limit import OutOfTime

RESULT = StructType([StructField("match", BooleanType()), StructField("error", StringType())])
_LONGEST_ERROR = 500  # characters; one copy per alert of a failed Arrow batch crosses from Python to the JVM
_ADVICE = {
    Reason.FILTER_RAISED: "Correct it; the files wait and are tried again.",
    Reason.FILTER_TIMED_OUT: "Make it faster, or allow it more with filter.timeoutSeconds. It is left out of the batches; its files wait, "
    "and are tried now and then.",
    Reason.FILTER_IMPORT_FAILED: "Give the executors an image that has what the filter needs, as the driver's has; the files wait and are "
    "tried again.",
}
_OURS = {__file__, time_limit.__file__, contextlib.__file__}
# Frames of faulthandler's, the innermost first: the filter's own, and then that of `_caller`, whose name alone has dots.
_ENDED = re.compile(
    r'Timeout \([\d:.]+\)!.*?\n\s*File "(?P<file>[^"]+)", line (?P<line>\d+) in [^\n]+\n'
    r'(?:\s*File "[^"]+", line \d+ in [^\n]+\n)*?\s*File "[^"]*/filter_udf\.py", line \d+ in (?P<path>\w+(?:\.\w+)+)',
    re.DOTALL,
)


def column(path: str, names: Sequence[str], inputs: Sequence[Column], seconds: float) -> Column:
    """The filter, called with `inputs` under their argument `names`, as a column of RESULT's type.

    `seconds`: how long one call may take. It has the alerts of one Arrow batch.
    """
    called = tuple(names)

    # The hints tell Spark what kind of UDF it is; a struct's values come as a DataFrame all the same.
    def evaluation(*series: pd.Series) -> pd.DataFrame:
        return judge(path, dict(zip(called, series, strict=True)), len(series[0]), seconds)

    # The plan then shows the filter by its name, and so do Spark's own error messages.
    evaluation.__name__ = path.rpartition(".")[2]
    return F.pandas_udf(evaluation, RESULT)(*inputs)


def failure(error: str) -> Failure:
    """What an error of RESULT says."""
    reason, _, text = error.partition(": ")
    return sentence(Reason(reason), text)


def sentence(reason: Reason, text: str) -> Failure:
    """Why the alerts of an output cannot be judged; `text` goes on after the words `The filter`."""
    return Failure(reason, one_line(f"The filter {text}. {_ADVICE[reason]}"))


_functions: dict[str, Callable[..., Any]] = {}  # what this worker has imported, by its path
_out_of_time: dict[str, int] = {}  # the filters that took too long, and in which stage


def judge(path: str, arguments: dict[str, Any], rows: int, seconds: float) -> pd.DataFrame:
    """Call the filter at `path`, in a worker of Spark.

    It is imported here, and not sent by the driver, so that a worker that cannot can say so. Once it has taken too long it is not called
    again in the same stage: a pass waits for it once, and not once for each of its Arrow batches.
    """
    context = TaskContext.get()
    stage = context.stageId() if context is not None else -1
    too_long = f"took longer than {seconds:g} s for {rows} alerts"
    if _out_of_time.get(path) == stage:
        return _failed(Reason.FILTER_TIMED_OUT, too_long, rows)
    call = _caller(path)
    try:
        if path not in _functions:
            too_long = "took too long to be imported"
            with time_limit.limited(max(seconds, FILTER_SECONDS)):  # astropy's import is no fault of a filter's
                _functions[path] = call(python_filters.load, path)
            worker_upkeep.settle()
            too_long = f"took longer than {seconds:g} s for {rows} alerts"
        with time_limit.limited(seconds):
            return evaluate(partial(call, _functions[path]), arguments, rows)
    except OutOfTime as error:
        _out_of_time[path] = stage
        return _failed(Reason.FILTER_TIMED_OUT, f"{too_long}{_where(error)}", rows)
    except OutputError as error:
        cause = error.__cause__
        said = error.failure.message if cause is None else f"{type(cause).__name__}: {cause}"
        where = f"by the Python worker on {socket.gethostname()}, though it can be by the driver"
        return _failed(Reason.FILTER_IMPORT_FAILED, f"cannot be imported {where}: {said}", rows)


def evaluate(function: Callable[..., Any], arguments: dict[str, Any], rows: int) -> pd.DataFrame:
    """Call the filter once; whatever it raises becomes the error of all `rows`, and none of them matches."""
    try:
        # Copies, because the filters of one batch share their inputs, and one may write to them.
        matches = _booleans(function(**{name: value.copy() for name, value in arguments.items()}), rows)
    except (Exception, SystemExit) as error:  # noqa: BLE001  a filter is somebody else's code and may raise anything
        return _failed(Reason.FILTER_RAISED, f"raised {_said(error)}", rows)
    return pd.DataFrame({"match": matches, "error": pd.Series([None] * rows, dtype=object)})


def timed_out(error: str) -> tuple[str, str] | None:
    """The filter whose worker was ended because it took too long, and the line that it was in, as Spark's error tells; None: it was not that."""
    found = _ENDED.search(error)
    return (found["path"], f"{found['line']} of {found['file'].rpartition('/')[2]}") if found else None


@lru_cache(maxsize=256)
def _caller(path: str) -> Callable[..., Any]:
    """`_call` in a frame that is named after the filter: it is all that a worker leaves behind that is ended."""
    return FunctionType(_call.__code__.replace(co_name=path), globals(), path)


def _call(function: Callable[..., Any], /, *given: Any, **arguments: Any) -> Any:
    return function(*given, **arguments)


def _failed(reason: Reason, text: str, rows: int) -> pd.DataFrame:
    error = one_line(f"{reason}: {text}", _LONGEST_ERROR)
    return pd.DataFrame({"match": np.zeros(rows, dtype=bool), "error": [error] * rows})


def _booleans(found: Any, rows: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """The filter's answer as booleans, null counting as no match.

    Raises TypeError or ValueError when it is not one boolean per alert.
    """
    answers = pd.Series(found).reset_index(drop=True)
    if len(answers) != rows:
        raise ValueError(f"it returned {len(answers)} values for {rows} alerts")
    missing = answers.isna()
    if not pd.api.types.is_bool_dtype(answers.dtype):
        wrong = {type(value).__name__ for value in answers[~missing] if not isinstance(value, (bool, np.bool_))}
        if wrong:
            raise TypeError(f"it returned {', '.join(sorted(wrong))} values where booleans are expected")
    return answers.where(~missing, False).to_numpy(dtype=bool)


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {one_line(str(error), _LONGEST_ERROR - 100)}{_where(error)}"


def _where(error: BaseException) -> str:
    """The line of the filter's code that raised the error, or was interrupted."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename not in _OURS]
    return f" (line {frames[0].lineno} of {frames[0].filename.rpartition('/')[2]})" if frames else ""
