"""What the distributor works out for a batch, and for how many batches it holds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from job_documents import DOCUMENT
from pyspark.sql import DataFrame, SparkSession

from distribution_job import config
from distribution_job.distributor import Distributor
from distribution_job.failures import Failure, Reason
from distribution_job.outputs import Output
from distribution_job.schemas import Schemas
from distribution_job.stages import StageTimes
from distribution_job.topics import Topic

GONE = Failure(Reason.TOPIC_UNAVAILABLE, "The topic is away.")
EARLY, SN, BAD = Output("early", "early"), Output("sn", "sn", sql="candid > 2"), Output("bad", "bad", sql="magpfs < 18")


class Topics:
    """Those of the outputs; `away` lists those that are not there."""

    def __init__(self) -> None:
        self.away: set[str] = set()

    def describe(self, names: Iterable[str], fresh: bool = False) -> dict[str, Topic | Failure]:
        return {name: GONE if name in self.away else Topic(name, 3) for name in names}


class Delivery:
    def note_topics(self, topics: Iterable[Topic | Failure]) -> None:
        pass


@pytest.fixture
def topics() -> Topics:
    return Topics()


@pytest.fixture
def distributor(tmp_path: Path, topics: Any) -> Distributor:
    delivery: Any = Delivery()
    return Distributor(config.parse(DOCUMENT), topics, Schemas(tmp_path), delivery, (), StageTimes())


@pytest.fixture(scope="module")
def alerts(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame([(1, 17.5), (2, 18.5), (3, 19.5)], "candid long, magpsf double")


def test_the_next_batch_of_the_same_columns_has_the_same_pass(distributor: Distributor, alerts: DataFrame) -> None:
    first = distributor.prepare(alerts, [EARLY, SN])
    assert distributor.prepare(alerts, [EARLY, SN]).together is first.together
    # The files that waited for one output come between.
    distributor.prepare(alerts, [SN])
    assert distributor.prepare(alerts, [EARLY, SN]).together is first.together


def test_an_output_that_fails_does_not_cost_the_others_their_pass(distributor: Distributor, alerts: DataFrame) -> None:
    first = distributor.prepare(alerts, [EARLY, SN, BAD])
    again = distributor.prepare(alerts, [EARLY, SN, BAD])
    assert again.together is first.together
    assert again.failures.keys() == {"bad"}
    assert "magpfs" in again.failures["bad"].message


def test_an_output_that_works_again_is_noticed(distributor: Distributor, topics: Topics, alerts: DataFrame) -> None:
    topics.away = {"sn"}
    assert distributor.prepare(alerts, [EARLY, SN]).failures == {"sn": GONE}
    topics.away = set()
    prepared = distributor.prepare(alerts, [EARLY, SN])
    assert prepared.failures == {}
    assert prepared.together is not None
    assert [routed.output for routed in prepared.together.outputs] == [EARLY, SN]


def test_a_filter_that_can_be_imported_at_last_is_noticed(
    tmp_path: Path, topics: Any, alerts: DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = Output("late", "late", python="late_filters.bright")
    delivery: Any = Delivery()
    distributor = Distributor(
        config.parse(DOCUMENT), topics, Schemas(tmp_path), delivery, ("late_filters",), StageTimes()
    )
    for _ in range(2):
        [failure] = distributor.prepare(alerts, [EARLY, late]).failures.values()
        assert failure.reason is Reason.FILTER_IMPORT_FAILED
    (tmp_path / "late_filters.py").write_text("def bright(magpsf):\n    return magpsf < 18\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert distributor.prepare(alerts, [EARLY, late]).failures == {}


def test_other_columns_have_another_pass(distributor: Distributor, alerts: DataFrame) -> None:
    first = distributor.prepare(alerts, [EARLY]).together
    other = distributor.prepare(alerts.withColumnRenamed("magpsf", "mag"), [EARLY]).together
    assert first is not None
    assert other is not None
    assert other.projections[0].names == ("candid", "mag")


def test_few_are_remembered(distributor: Distributor, alerts: DataFrame) -> None:
    outputs = [Output(f"o{number}", f"o{number}") for number in range(20)]
    first = distributor.prepare(alerts, outputs).together
    for output in outputs:
        distributor.prepare(alerts, [output])
    assert distributor.prepare(alerts, outputs).together is not first
