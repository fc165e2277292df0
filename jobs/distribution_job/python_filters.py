"""Python filters by their dotted path: whether they may be imported, and what they ask for.

The contract is fink-filters': a function, plain or wrapped by `pandas_udf`, whose argument names are column names; it is
given one pandas Series (a DataFrame for a struct) per argument and returns one boolean per alert.
"""

from __future__ import annotations

import importlib
import inspect
import os
from collections.abc import Callable
from typing import Any

from distribution_job.failures import OutputError, Reason, choices, one_line

ALLOWED_BY_DEFAULT = ("fink_filters", "distribution_job.filters")
ALLOWED_VARIABLE = "FINK_FILTER_PACKAGES"
_SCALAR_PANDAS_UDF = 200  # pyspark.util.PythonEvalType.SQL_SCALAR_PANDAS_UDF


def allowed_packages() -> tuple[str, ...]:
    """The packages whose functions may be filters: FINK_FILTER_PACKAGES (comma-separated), set in the image, or the default."""
    named = tuple(name.strip() for name in os.environ.get(ALLOWED_VARIABLE, "").split(",") if name.strip())
    return named or ALLOWED_BY_DEFAULT


def check_allowed(path: str, allowed: tuple[str, ...]) -> None:
    """Raise OutputError (FilterNotAllowed) unless the path lies in one of the packages."""
    if not any(path.startswith(f"{package}.") for package in allowed):
        raise OutputError(
            Reason.FILTER_NOT_ALLOWED,
            f"The filter {path} lies outside the packages that this image allows: {', '.join(allowed)}. Use a filter of "
            f"these, or an image whose {ALLOWED_VARIABLE} names its package.",
        )


def load(path: str) -> Callable[..., Any]:
    """Import the function that `path` names, without its pandas_udf wrapper.

    Raises OutputError: FilterImportFailed, or FilterInvalid when it is not such a function.
    """
    module_name, _, name = path.rpartition(".")
    try:
        # The module's own code runs here, and may raise anything.
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        raise OutputError(
            Reason.FILTER_IMPORT_FAILED,
            f"The filter {path} cannot be imported: {type(error).__name__}: {one_line(str(error), 400)}. Correct the "
            "path, or use an image that has the package and what it needs.",
        ) from error
    found = getattr(module, name, None)
    if found is None:
        functions = [key for key, value in vars(module).items() if callable(value) and not key.startswith("_")]
        raise OutputError(
            Reason.FILTER_IMPORT_FAILED,
            f"The module {module_name} has no function {name}. {choices(name, functions)} Correct the path.",
        )
    if getattr(found, "evalType", _SCALAR_PANDAS_UDF) != _SCALAR_PANDAS_UDF:
        raise _invalid(path, "is a UDF of another kind than pandas_udf(..., SCALAR). Wrap it so, or leave it plain")
    function = getattr(found, "func", found)
    if not inspect.isfunction(function):
        raise _invalid(path, f"is a {type(found).__name__}, not a function. Name a function")
    return function


def arguments(path: str, function: Callable[..., Any]) -> dict[str, bool]:
    """The function's argument names in order, and whether it must have each (no default).

    Raises OutputError (FilterInvalid) when it takes none, or takes any number.
    """
    found = {}
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is not inspect.Parameter.POSITIONAL_OR_KEYWORD:
            raise _invalid(path, f"has the argument {parameter}; each argument must be a plain name, that of a column")
        found[parameter.name] = parameter.default is inspect.Parameter.empty
    if not found:
        raise _invalid(path, "takes no arguments, so it cannot see the alerts. Name its arguments after columns")
    return found


def _invalid(path: str, problem: str) -> OutputError:
    return OutputError(Reason.FILTER_INVALID, f"The filter {path} {problem}.")
