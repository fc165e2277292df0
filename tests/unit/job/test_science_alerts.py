from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from demo import science_alerts


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in sorted(folder.rglob("*.parquet"))}


def test_the_same_arguments_give_the_same_files(tmp_path: Path) -> None:
    for name in ("one", "two"):
        science_alerts.write(tmp_path / name, science_alerts.generate(50, seed=3), files=4)
    science_alerts.write(tmp_path / "other", science_alerts.generate(50, seed=4), files=4)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert contents(tmp_path / "one") != contents(tmp_path / "other")


def test_drops_do_not_share_alerts() -> None:
    drops = [science_alerts.generate(40, seed=1, first_id=first) for first in (0, 40)]
    ids = np.concatenate([drop.column("candid").to_numpy() for drop in drops])
    assert len(set(ids)) == 80
    assert all(len(str(one)) == 18 for one in ids)


def test_the_usual_filters_let_some_through() -> None:
    alerts = science_alerts.generate(1000, seed=1).to_pandas()
    shares = {
        "sso": (alerts["roid"] == 3).mean(),
        "sn": ((alerts["snn_snia_vs_nonia"] > 0.5) & (alerts["snn_sn_vs_all"] > 0.5)).mean(),
        "history": alerts["prv_candidates"].notna().mean(),
        "gaia": alerts["DR3Name"].notna().mean(),
    }
    assert all(0.01 < share < 0.99 for share in shares.values()), shares
    stamp = alerts["cutoutScience"][0]["stampData"]
    assert 2000 < len(stamp) < 20_000
    assert stamp[:2] == b"\x1f\x8b"


def test_columns_are_those_of_the_science_database(shared_data: Path) -> None:
    real = pq.read_schema(shared_data / "fink-broker" / "ztf_science_20190903.parquet")
    ours = science_alerts.SCHEMA
    for name in set(ours.names) & set(real.names) - {"timestamp", "lc_features_g", "lc_features_r"}:
        expected, made = real.field(name).type, ours.field(name).type
        if made.num_fields and hasattr(made, "fields"):
            for field in made.fields:
                assert expected.field(field.name).type == field.type, f"{name}.{field.name}"
        elif not made.num_fields:
            assert made == expected, name
    assert len(set(ours.names) & set(real.names)) > 25


def test_the_command_writes_partitioned_files_and_leaves_no_hidden_ones(tmp_path: Path) -> None:
    done = CliRunner().invoke(science_alerts.main, ["--rows", "30", "--files", "3", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert files
    assert all(file.name.endswith(".parquet") and not file.name.startswith(".") for file in files)
    assert {part.partition("=")[0] for part in files[0].relative_to(tmp_path).parts[:-1]} == {"year", "month", "day"}
    assert sum(pq.read_metadata(file).num_rows for file in files) == 30


@pytest.mark.parametrize("rows", ["0", "-3"])
def test_the_command_refuses_no_rows(rows: str) -> None:
    done = CliRunner().invoke(science_alerts.main, ["--rows", rows, "--out", "x"])
    assert done.exit_code == 2
