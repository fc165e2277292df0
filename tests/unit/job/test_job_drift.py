"""Columns that come, go or change are said once."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql.types import StructType

from distribution_job.drift import Drift


def columns(text: str) -> StructType:
    return StructType.fromDDL(text)


BASE = "candid BIGINT, magpsf FLOAT, candidate STRUCT<jd: DOUBLE, fid: INT>, history ARRAY<STRUCT<jd: DOUBLE>>"


@pytest.mark.usefixtures("spark")  # it reads the types' names
@pytest.mark.parametrize(
    ("later", "said"),
    [
        (BASE, []),
        (f"{BASE}, drb DOUBLE", ["drb (double) is new"]),
        (BASE.replace("magpsf FLOAT, ", ""), ["magpsf is not there any more"]),
        (BASE.replace("FLOAT", "DOUBLE"), ["magpsf was float and is double"]),
        (BASE.replace("fid: INT", "fid: BIGINT"), ["candidate.fid was int and is bigint"]),
        (
            BASE.replace("ARRAY<STRUCT<jd: DOUBLE>>", "ARRAY<STRUCT<jd: DOUBLE, ra: DOUBLE>>"),
            ["history.ra (double) is new"],
        ),
        (f"{BASE}, cutout STRUCT<name: STRING, data: BINARY>", ["cutout (struct) is new"]),
    ],
)
def test_a_change_is_said(tmp_path: Path, later: str, said: list[str]) -> None:
    notes: list[str] = []
    Drift(tmp_path / "columns.json", notes.append).look(columns(BASE))
    assert notes == [], "the first alerts are no change"
    # After a restart, too.
    drift = Drift(tmp_path / "columns.json", notes.append)
    for _ in range(3):
        drift.look(columns(later))
        drift.look(columns(BASE))
    assert notes == [f"The alerts' columns have changed: {text}." for text in said], "and old files do not repeat it"
