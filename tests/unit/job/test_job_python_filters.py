from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from distribution_job import filter_udf, python_filters
from distribution_job.failures import OutputError, Reason

ZTF = "fink_filters.ztf.livestream.filter_sso_ztf_candidates.filter"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    text = """
import pandas as pd
from pyspark.sql.functions import udf
from pyspark.sql.types import BooleanType
def good(a, b): return a > b
def with_default(a, missing=None): return a > 0
def nothing(): return True
def many(*args): return args[0]
number = 3
row_at_a_time = udf(lambda a: a, BooleanType())
"""
    (tmp_path / "some_filters.py").write_text(text)
    (tmp_path / "broken_filters.py").write_text("raise RuntimeError('no model file')")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "some_filters"


@pytest.mark.parametrize(
    ("path", "allowed", "good"),
    [
        (f"{ZTF}.sso_ztf_candidates", python_filters.ALLOWED_BY_DEFAULT, True),
        ("distribution_job.filters.bright.bright_and_real", python_filters.ALLOWED_BY_DEFAULT, True),
        ("os.system", python_filters.ALLOWED_BY_DEFAULT, False),
        ("distribution_job.cli.main", python_filters.ALLOWED_BY_DEFAULT, False),
        ("fink_filters_evil.f", python_filters.ALLOWED_BY_DEFAULT, False),
        ("mine.f", ("mine",), True),
    ],
)
def test_which_packages_may_be_imported(path: str, allowed: tuple[str, ...], good: bool) -> None:
    if good:
        python_filters.check_allowed(path, allowed)
        return
    with pytest.raises(OutputError) as caught:
        python_filters.check_allowed(path, allowed)
    assert caught.value.failure.reason is Reason.FILTER_NOT_ALLOWED
    assert all(name in caught.value.failure.message for name in allowed)


def test_the_image_says_which_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(python_filters.ALLOWED_VARIABLE, "mine, theirs.filters")
    assert python_filters.allowed_packages() == ("mine", "theirs.filters")
    monkeypatch.delenv(python_filters.ALLOWED_VARIABLE)
    assert python_filters.allowed_packages() == ("fink_filters", "distribution_job.filters")


def test_a_filter_of_fink_is_unwrapped_and_its_arguments_read() -> None:
    function = python_filters.load(f"{ZTF}.sso_ztf_candidates")
    assert python_filters.arguments("f", function) == {"roid": True}
    assert list(function(pd.Series([3, 0]))) == [True, False]


def test_an_argument_with_a_default_need_not_be_there(package: str) -> None:
    function = python_filters.load(f"{package}.with_default")
    assert python_filters.arguments("f", function) == {"a": True, "missing": False}


@pytest.mark.parametrize(
    ("path", "reason", "said"),
    [
        ("no_such_package.f", Reason.FILTER_IMPORT_FAILED, "No module named"),
        ("broken_filters.f", Reason.FILTER_IMPORT_FAILED, "no model file"),
        ("some_filters.godo", Reason.FILTER_IMPORT_FAILED, "Close to it: good"),
        ("some_filters.number", Reason.FILTER_INVALID, "is a int, not a function"),
        ("some_filters.row_at_a_time", Reason.FILTER_INVALID, "pandas_udf"),
        ("some_filters.nothing", Reason.FILTER_INVALID, "takes no arguments"),
        ("some_filters.many", Reason.FILTER_INVALID, "*args"),
    ],
)
def test_what_cannot_be_a_filter(package: str, path: str, reason: Reason, said: str) -> None:
    with pytest.raises(OutputError) as caught:
        python_filters.arguments(path, python_filters.load(path))
    assert caught.value.failure.reason is reason
    assert said in caught.value.failure.message


def keeps(*values: Any) -> Any:
    return lambda a: pd.Series(list(values))


def quits(a: Any) -> Any:
    raise SystemExit(3)


def divides(a: Any) -> Any:
    return pd.Series([1 / 0])


@pytest.mark.parametrize(
    ("function", "matches"),
    [
        (keeps(True, False, True), [True, False, True]),
        (keeps(True, None, np.nan), [True, False, False]),
        (lambda a: np.array([False, True, True]), [False, True, True]),
        (lambda a: pd.array([True, None, False], dtype="boolean"), [True, False, False]),
        (lambda a: (a > 1)[::-1][::-1], [False, True, True]),
    ],
)
def test_what_a_filter_may_return(function: Any, matches: list[bool]) -> None:
    result = filter_udf.evaluate(function, {"a": pd.Series([1, 2, 3])}, 3)
    assert list(result["match"]) == matches
    assert list(result["error"]) == [None, None, None]


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (keeps(True), "it returned 1 values for 3 alerts"),
        (keeps(0.5, 1.0, 0.0), "float values where booleans"),
        (divides, "ZeroDivisionError: division by zero (line"),
        (quits, "SystemExit: 3"),
    ],
)
def test_a_filter_that_raises_matches_nothing_and_says_why(function: Any, said: str) -> None:
    result = filter_udf.evaluate(function, {"a": pd.Series([1, 2, 3])}, 3)
    assert not result["match"].any()
    assert len(result) == 3
    assert all(said in error for error in result["error"])


def test_a_filter_cannot_change_what_the_next_one_is_given() -> None:
    shared = pd.Series([1, 2, 3])

    def overwrites(a: pd.Series) -> pd.Series:
        a[:] = 0
        return a == 0

    assert filter_udf.evaluate(overwrites, {"a": shared}, 3)["match"].all()
    assert list(shared) == [1, 2, 3]


def test_a_filter_that_changes_names_changes_them_for_nobody_else() -> None:
    shared = {"a": pd.Series([1, 2, 3], name="a"), "place": pd.DataFrame({"ra": [1.0, 2.0, 3.0]})}

    def renames(a: pd.Series, place: pd.DataFrame) -> pd.Series:
        a.name, a.index, place.columns = "b", [7, 7, 7], ["dec"]
        place["more"] = 1
        return a > 0

    assert filter_udf.evaluate(renames, shared, 3)["match"].all()
    assert (shared["a"].name, list(shared["a"].index)) == ("a", [0, 1, 2])
    assert list(shared["place"].columns) == ["ra"]
