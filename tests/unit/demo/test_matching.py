from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pytest

from demo import matching, quickstart, science_alerts
from demo.quickstart import Output

ALERTS = pa.table(
    {
        "candid": [10, 11, 12, 12],
        "roid": [3, 0, 3, None],
        "cdsxmatch": ["SN", "Unknown", None, "sn"],
        "candidate": [{"drb": 0.9, "magpsf": 17.5}, {"drb": 0.1, "magpsf": 20.0}, {"drb": 0.8, "magpsf": None}, None],
    }
)


def by_sql(condition: str) -> list[bool]:
    return matching.by_sql(condition, ALERTS)


def test_plain_columns() -> None:
    assert by_sql("roid = 3") == [True, False, True, False]


def test_null_is_no_match_either_way() -> None:
    assert by_sql("roid != 3") == [False, True, False, False]
    assert by_sql("cdsxmatch = 'SN' OR cdsxmatch != 'SN'") == [True, True, False, True]


def test_fields_of_structs() -> None:
    assert by_sql("candidate.drb > 0.5 AND candidate.magpsf < 18") == [True, False, False, False]


def test_text_is_compared_with_its_case() -> None:
    assert by_sql("cdsxmatch LIKE 'S%'") == [True, False, False, False]
    assert by_sql("cdsxmatch IN ('SN', 'Unknown')") == [True, True, False, False]


def test_a_filter_that_does_not_fit_the_alerts_says_so() -> None:
    with pytest.raises(ValueError, match="no such column: absent"):
        by_sql("absent > 1")


def test_without_a_filter_every_alert_matches_as_often_as_it_is_there() -> None:
    assert matching.matching(Output("all", "t", None, None), ALERTS) == Counter({"10": 1, "11": 1, "12": 2})


def test_ids_of_18_digits_stay_whole() -> None:
    alerts = pa.table({"candid": [975_000_000_000_000_015]})
    assert matching.matching(Output("all", "t", None, None), alerts) == Counter(["975000000000000015"])


@pytest.mark.parametrize(
    ("names", "chosen"),
    [(["objectId", "candid"], "candid"), (["diaSourceId", "objectId"], "diaSourceId"), (["objectId"], "objectId")],
)
def test_the_identifying_column_is_the_one_that_the_stream_takes(names: list[str], chosen: str) -> None:
    assert matching.id_column(names) == chosen


def test_alerts_without_an_id_are_refused() -> None:
    with pytest.raises(ValueError, match="candid"):
        matching.id_column(["ra"])


def test_the_quickstarts_filters_let_some_made_up_alerts_through_and_some_not() -> None:
    alerts = science_alerts.generate(300, seed=1)
    counts = {output.name: matching.matching(output, alerts).total() for output in quickstart.outputs()}
    assert counts.pop("all") == 300
    assert all(0 < count < 200 for count in counts.values()), counts


def test_the_python_filter_is_called_as_a_plain_function() -> None:
    alerts = science_alerts.generate(50, seed=2)
    (output,) = [each for each in quickstart.outputs() if each.python]
    assert output.python is not None
    expected = [value == 3 for value in alerts.column("roid").to_pylist()]
    assert matching.by_python(output.python, alerts) == expected
