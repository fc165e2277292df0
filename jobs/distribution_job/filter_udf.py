"""A Python filter as a column that never fails the batch: a struct of the match and, when it raised, of the error."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812  pyspark's own convention
from pyspark.sql.types import BooleanType, StringType, StructField, StructType

from distribution_job.failures import one_line

RESULT = StructType([StructField("match", BooleanType()), StructField("error", StringType())])
_LONGEST_ERROR = 500  # characters; one copy per alert of a failed Arrow batch crosses from Python to the JVM


def column(function: Callable[..., Any], names: Sequence[str], inputs: Sequence[Column]) -> Column:
    """The filter, called with `inputs` under their argument `names`, as a column of RESULT's type."""
    called = tuple(names)

    # The hints tell Spark what kind of UDF it is; a struct's values come as a DataFrame all the same.
    def evaluation(*series: pd.Series) -> pd.DataFrame:
        return evaluate(function, dict(zip(called, series, strict=True)), len(series[0]))

    # The plan then shows the filter by its name, and so do Spark's own error messages.
    evaluation.__name__ = function.__name__
    return F.pandas_udf(evaluation, RESULT)(*inputs)


def evaluate(function: Callable[..., Any], arguments: dict[str, Any], rows: int) -> pd.DataFrame:
    """Call the filter once; whatever it raises becomes the error of all `rows`, and none of them matches."""
    try:
        # Copies, because the filters of one batch share their inputs, and one may write to them.
        matches = _booleans(function(**{name: value.copy() for name, value in arguments.items()}), rows)
    except (Exception, SystemExit) as error:  # noqa: BLE001  a filter is somebody else's code and may raise anything
        return _failed(_said(error), rows)
    return pd.DataFrame({"match": matches, "error": pd.Series([None] * rows, dtype=object)})


def _failed(error: str, rows: int) -> pd.DataFrame:
    return pd.DataFrame({"match": np.zeros(rows, dtype=bool), "error": [one_line(error, _LONGEST_ERROR)] * rows})


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
    """The error with the line of the filter's code that raised it."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    where = f" (line {frames[0].lineno} of {frames[0].filename.rpartition('/')[2]})" if frames else ""
    return one_line(f"{type(error).__name__}: {one_line(str(error), _LONGEST_ERROR - 100)}{where}", _LONGEST_ERROR)
