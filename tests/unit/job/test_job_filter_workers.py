"""Filters that a Python worker of Spark has trouble with: those that hang there, and those that it cannot import."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from job_passes import prepared
from pyspark.sql import DataFrame, SparkSession

from distribution_job import diagnosis, filter_udf
from distribution_job.failures import Failure, Reason
from distribution_job.outputs import Output
from distribution_job.single_pass import SinglePass

ROWS, ROWS_OF_A_CALL = 300, 50
FILTERS = """
import itertools, os, time
from collections import deque
from pathlib import Path

FOLDER = Path({folder!r})

def note(name):
    with (FOLDER / name).open("a") as calls:
        calls.write("called\\n")

def settled(candid):
    import gc, sys
    archives = [place for place, finder in sys.path_importer_cache.items() if type(finder).__name__ == "zipimporter"]
    return (candid >= 0) & (gc.get_freeze_count() > 10_000 and not archives)

def good(candid):
    return candid % 2 == 0

def loops(candid):
    note("loops")
    while not (FOLDER / "mended").exists():
        pass
    return candid >= 0

def catches(candid):
    note("catches")
    while True:
        try:
            time.sleep(60)
        except Exception:
            pass

def stuck(candid):
    note("stuck")
    deque(itertools.repeat(None), maxlen=0)  # a loop in C, which hears no signal and lets nobody else have the interpreter
"""


@pytest.fixture(scope="module")
def folder(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the filters that all workers have note their calls."""
    place = tmp_path_factory.mktemp("filters")
    (place / "worker_filters.py").write_text(FILTERS.format(folder=str(place)))
    spark.sparkContext.addPyFile(str(place / "worker_filters.py"))
    return place


@pytest.fixture(scope="module")
def alerts(spark: SparkSession) -> Iterator[DataFrame]:
    """One task's, in several calls of each filter."""
    option = "spark.sql.execution.arrow.maxRecordsPerBatch"
    before = spark.conf.get(option)
    spark.conf.set(option, str(ROWS_OF_A_CALL))
    yield spark.range(0, ROWS, numPartitions=1).withColumnRenamed("id", "candid")
    spark.conf.set(option, before)


def outputs(*functions: str, module: str = "worker_filters") -> list[Output]:
    good = [Output("good", "t-good", python="worker_filters.good"), Output("sql", "t-sql", sql="candid < 7")]
    return good + [
        Output(name, f"t-{name}", python=f"{module}.{name}", filter_seconds=1, select=("candid",)) for name in functions
    ]


def judged(alerts: DataFrame, single: SinglePass) -> tuple[dict[str, int], dict[str, Failure]]:
    """How many alerts each output gets, and whose filter failed."""
    made = single.over(alerts)
    made.rows.collect()
    filtering, encoding = made.counts()
    names = [routed.output.name for routed in single.outputs]
    errors = {name: filtering.get(f"error_{number}") for number, name in enumerate(names)}
    failed = {name: filtering[f"failed_{number}"] for number, name in enumerate(names) if errors[name]}
    assert set(failed.values()) <= {ROWS}, "it is not known of any of its alerts"
    counts = {name: encoding[f"published_{number}"] for number, name in enumerate(names)}
    return counts, {name: filter_udf.failure(error) for name, error in errors.items() if error}


def calls(folder: Path, name: str) -> int:
    return len((folder / name).read_text().splitlines())


def test_what_filters_import_costs_a_worker_nothing_later(alerts: DataFrame, folder: Path) -> None:
    single = prepared(alerts, outputs("settled"))
    for _ in range(2):  # Spark has the worker forget where modules are before each task
        assert judged(alerts, single) == ({"good": 150, "sql": 7, "settled": ROWS}, {})


def test_a_filter_that_hangs_is_interrupted_once_a_pass_and_the_others_go_on(alerts: DataFrame, folder: Path) -> None:
    single = prepared(alerts, outputs("loops", "catches"))
    counts, failures = judged(alerts, single)
    assert counts == {"good": 150, "sql": 7, "loops": 0, "catches": 0}
    assert failures.keys() == {"loops", "catches"}
    for failure in failures.values():
        assert failure.reason is Reason.FILTER_TIMED_OUT
        assert "The filter took longer than 1 s for 50 alerts (line " in failure.message
        assert " of worker_filters.py). Make it faster, or allow it more with filter.timeoutSeconds." in failure.message
    assert (calls(folder, "loops"), calls(folder, "catches")) == (1, 1), f"of {ROWS // ROWS_OF_A_CALL} batches"
    # The next pass asks again.
    (folder / "mended").touch()
    counts, failures = judged(alerts, single)
    assert counts == {"good": 150, "sql": 7, "loops": ROWS, "catches": 0}
    assert failures.keys() == {"catches"}


def test_of_a_filter_that_nothing_interrupts_the_worker_is_ended_and_it_is_named(
    alerts: DataFrame, folder: Path
) -> None:
    single = prepared(alerts, outputs("stuck"))
    with pytest.raises(Exception, match="exited unexpectedly") as caught:
        judged(alerts, single)
    [(name, failure)] = diagnosis.timed_out(caught.value, single).items()
    assert (name, failure.reason) == ("stuck", Reason.FILTER_TIMED_OUT)
    line = 1 + FILTERS[: FILTERS.index("deque(itertools")].count("\n")
    assert f"took longer than 1 s, and could not be interrupted (line {line} of worker_filters.py)" in failure.message
    assert diagnosis.timed_out(RuntimeError("Python worker exited unexpectedly (crashed)"), single) == {}
    assert judged(alerts, prepared(alerts, outputs())) == ({"good": 150, "sql": 7}, {})


def test_a_filter_that_the_worker_cannot_import_fails_alone_and_says_where(
    alerts: DataFrame, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "driver_filters.py").write_text("def elsewhere(candid): return candid > 0")
    monkeypatch.syspath_prepend(str(tmp_path))
    counts, failures = judged(alerts, prepared(alerts, outputs("elsewhere", module="driver_filters")))
    assert counts == {"good": 150, "sql": 7, "elsewhere": 0}
    [(name, failure)] = failures.items()
    assert (name, failure.reason) == ("elsewhere", Reason.FILTER_IMPORT_FAILED)
    assert f"The filter cannot be imported by the Python worker on {os.uname().nodename}" in failure.message
    assert "ModuleNotFoundError: No module named 'driver_filters'" in failure.message
