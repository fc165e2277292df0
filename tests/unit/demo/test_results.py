from __future__ import annotations

from collections import Counter

from rich.console import Console

from demo.quickstart import Output
from demo.reader import Received
from demo.results import Result, first_row, results, spread, table

OUTPUT = Output("all", "fink_all_ztf", None, None)


def received(ids: list[str]) -> Received:
    found = Received()
    for number, each in enumerate(ids):
        found.ids[each] += 1
        found.partitions[number % 2] += 1
        found.first = found.first or {"objectId": "ZTF25aaaaaa", "candid": int(each)}
    return found


def drawn(found: list[Result]) -> str:
    console = Console(width=150)
    with console.capture() as capture:
        console.print(table(found))
    return capture.get()


def test_the_same_alerts_are_no_difference() -> None:
    (result,) = results([OUTPUT], {"all": Counter(["1", "2"])}, {"fink_all_ztf": received(["2", "1"])})
    assert result.differences == []
    row = drawn([result]).splitlines()[-2]
    assert row.split() == ["ok", "fink_all_ztf", "2", "2", "1", "1", "objectId=ZTF25aaaaaa", "candid=2"]


def test_missing_and_other_alerts_of_the_same_number_are_differences() -> None:
    result = Result("all", "fink_all_ztf", Counter(["1", "2"]), received(["2", "3"]))
    assert result.differences == [
        "fink_all_ztf: 1 alerts did not come, 1 among them",
        "fink_all_ztf: 1 alerts came that were not to, 3 among them",
    ]
    assert "differs" in drawn([result])


def test_an_alert_that_came_twice_is_a_difference() -> None:
    assert Result("all", "t", Counter(["1"]), received(["1", "1"])).differences


def test_a_topic_that_nothing_came_of() -> None:
    (result,) = results([OUTPUT], {"all": Counter(["1"])}, {})
    assert result.differences == ["fink_all_ztf: 1 alerts did not come, 1 among them"]
    assert "none" in drawn([result])


def test_an_empty_filter_that_nothing_came_of_is_as_it_should_be() -> None:
    (result,) = results([OUTPUT], {"all": Counter()}, {})
    assert result.differences == []


def test_the_spread_is_by_partition() -> None:
    assert spread(Counter({2: 5, 0: 3})) == "3 5"


def test_a_row_shows_at_most_four_fields_that_have_a_value() -> None:
    alert = {"objectId": "Z", "candid": 1, "cdsxmatch": None, "roid": 3, "snn_sn_vs_all": 0.256, "other": 1}
    assert first_row(alert) == "objectId=Z candid=1 roid=3 snn_sn_vs_all=0.26"
