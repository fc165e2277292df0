"""fink-filters' own filters for ZTF, all in one pass of the job: each lets through what it does when it is called by hand."""

from __future__ import annotations

import copy
import importlib
import inspect
import pkgutil
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import real_alerts
from job_passes import prepared
from pyspark.sql import SparkSession

from distribution_job.alert_files import AlertFile
from distribution_job.alert_reader import AlertReader
from distribution_job.failures import OutputError
from distribution_job.fan_out import collect, fan_out
from distribution_job.outputs import Output
from distribution_job.python_filters import load

PACKAGE = "fink_filters.ztf.livestream"
# What fink-science's package on PyPI lacks: a file of settings, which these three read when they are imported.
NOT_IMPORTED = {"inter_night_hostless", "intra_night_hostless", "new_hostless"}
# Those that would ask a server on the internet about what they match; they match none of these alerts.
ASKING = {"early_kn_candidates", "rate_based_kn_candidates"}
VARIATIONS = 400
V1309_ORI = 78.9225, 1.0778
MATCH_REAL = {"fast_riser_candidates", "sn_candidates", "vra"}  # the others' alerts are variations


def filters() -> list[str]:
    """The names of all filters of the package."""
    package = importlib.import_module(PACKAGE)
    return sorted(info.name.removeprefix("filter_") for info in pkgutil.iter_modules(package.__path__))


def path(name: str) -> str:
    return f"{PACKAGE}.filter_{name}.filter.{name}"


def function(name: str) -> Callable[..., Any]:
    """The filter itself, out of its wrapper."""
    found: Any = getattr(importlib.import_module(f"{PACKAGE}.filter_{name}.filter"), name)
    return found.func  # type: ignore[no-any-return]


def varied(alert: dict[str, Any], number: int) -> dict[str, Any]:
    """A real alert with another id, and with values that filters look at."""
    chance, alert = random.Random(number), copy.deepcopy(alert)  # noqa: S311  no secret
    candidate = alert["candidate"]
    alert["candid"] = candidate["candid"] = 10**15 + number
    alert["cdsxmatch"] = chance.choice(
        ["Unknown", "Galaxy", "Blazar", "BLLac", "YSO_Candidate", "GravLensSystem", "Star", "EB*"]
    )
    alert["roid"] = chance.choice([0, 1, 2, 3])
    alert["mulens"] = chance.choice([0.0, 0.8])
    alert["tns"] = chance.choice(["", "SN Ia"])
    for column in ("snn_snia_vs_nonia", "snn_sn_vs_all", "rf_snia_vs_nonia", "rf_kn_vs_nonkn"):
        alert[column] = chance.random()
    candidate["drb"] = chance.uniform(0.3, 0.9)  # below what has ASKING ask
    candidate["classtar"] = chance.uniform(0.2, 1.0)
    candidate["ndethist"] = chance.choice([1, 2, 10, 300])
    candidate["jdstarthist"] = candidate["jd"] - chance.choice([1.0, 4.0, 20.0, 500.0])
    candidate["magpsf"] = chance.uniform(13.0, 20.5)
    alert["spicy_id"], alert["spicy_class"] = chance.choice([(-1, "Unknown"), (number, "ClassII")])
    alert["linear_fit_slope"] = chance.choice([0.01, 0.5])
    if number % 40 == 0:
        candidate["ra"], candidate["dec"] = V1309_ORI
    return alert


def table(shared_data: Path) -> pa.Table:
    """The real alerts of a night, and variations of them."""
    alerts, schema = real_alerts.avro(shared_data / "fink-client" / "ztf_part-3-305711.avro")
    for alert in alerts:
        # A stream's source has it at the top level if yso_spicy_candidates is to be used.
        alert["linear_fit_slope"] = (alert["lc_features_r"] or {}).get("linear_fit_slope")
    variations = [varied(alerts[number % len(alerts)], number) for number in range(VARIATIONS)]
    columns = real_alerts.arrow_schema(schema).append(pa.field("linear_fit_slope", pa.float64()))
    return pa.Table.from_pylist([*alerts, *variations], schema=columns)


def given(alerts: list[dict[str, Any]], argument: str) -> pd.Series:
    """What a filter is given for an argument, worked out apart from the job."""
    if argument in alerts[0]:
        return pd.Series([alert[argument] for alert in alerts])
    if argument in alerts[0]["candidate"]:
        return pd.Series([alert["candidate"][argument] for alert in alerts])
    if argument == "cstampDatac":
        return pd.Series([alert["cutoutScience"]["stampData"] for alert in alerts])
    field = argument.removeprefix("c").removesuffix("c")
    both = ([*(alert["prv_candidates"] or []), alert["candidate"]] for alert in alerts)
    # As Spark's Arrow has them: a number that is not there is not a number.
    return pd.Series([pd.Series([one[field] for one in history]).to_numpy() for history in both])


def by_hand(name: str, alerts: list[dict[str, Any]]) -> set[int]:
    """The ids of the alerts that a filter lets through."""
    call = function(name)
    found = call(*(given(alerts, argument) for argument in inspect.signature(call).parameters))
    return {alert["candid"] for alert, matches in zip(alerts, found, strict=True) if matches}


def test_each_filter_lets_through_what_it_does_by_hand(spark: SparkSession, shared_data: Path, tmp_path: Path) -> None:
    for name in NOT_IMPORTED:
        with pytest.raises(OutputError, match=r"config_base\.json"):
            load(path(name))
    made = table(shared_data)
    pq.write_table(made, tmp_path / "alerts.parquet")
    alerts = made.to_pylist()
    usable = [name for name in filters() if name not in NOT_IMPORTED]
    frame = AlertReader(spark, str(tmp_path)).read([AlertFile(f"file:{tmp_path}/alerts.parquet", 0, 0)])
    single = prepared(frame, [Output(name, f"t-{name}", python=path(name), select=("candid",)) for name in usable])
    sent: dict[str, set[int]] = {name: set() for name in usable}

    def send(topic: str, partition: int, key: bytes, value: bytes, headers: Any) -> None:
        sent[topic.removeprefix("t-")].add(int(dict(headers)["id"]))

    collected = collect(single.encoded_once(frame), single)
    counts = fan_out(collected, single.outputs, send, lambda routed, size: True)
    errors = {name: error for number, name in enumerate(usable) if (error := collected.filtering[f"error_{number}"])}
    assert errors == {}
    expected = {name: by_hand(name, alerts) for name in usable}
    assert sent == expected
    assert [counts[f"published_{number}"] for number in range(len(usable))] == [len(expected[name]) for name in usable]
    real = {alert["candid"] for alert in alerts[:-VARIATIONS]}
    nothing = {name for name, found in expected.items() if not found}
    assert nothing == ASKING, "all others match some of the alerts, and not all"
    assert all(len(found) < len(alerts) for found in expected.values())
    assert {name for name, found in expected.items() if found & real} == MATCH_REAL
