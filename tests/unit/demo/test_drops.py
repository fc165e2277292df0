from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from demo import drops
from demo.cluster import ClusterError
from demo.drops import Drop


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for number, place in enumerate(
        ("day=1/a.parquet", "day=1/b.parquet", "day=2/c.parquet", "day=2/.hidden.parquet", "_tmp/d.parquet")
    ):
        file = folder / place
        file.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"candid": [number]}), file)
    return folder


def places(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_real_files_are_spread_over_the_drops_without_the_hidden_ones(data: Path) -> None:
    found = drops.of_folder(data, 2)
    assert [[str(place) for place, _ in drop.files] for drop in found] == [
        ["day=1/a.parquet", "day=2/c.parquet"],
        ["day=1/b.parquet"],
    ]
    assert [[table.column("candid").to_pylist() for table in drop.alerts] for drop in found] == [[[0], [2]], [[1]]]


def test_fewer_files_than_drops_make_fewer_drops(data: Path) -> None:
    assert len(drops.of_folder(data, 5)) == 3


def test_a_folder_without_alerts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match=r"no \*\.parquet files"):
        drops.files_of(tmp_path)


def test_made_up_drops_share_no_alert(tmp_path: Path) -> None:
    found = drops.made_up(tmp_path, 10, seed=1, drops=3)
    ids = [number for drop in found for table in drop.alerts for number in table.column("candid").to_pylist()]
    assert [drop.rows for drop in found] == [4, 3, 3]
    assert len(set(ids)) == 10
    assert all(source.is_file() for drop in found for _, source in drop.files)


def test_files_arrive_whole_and_under_their_own_names(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "science"
    put = drops.into_folder(folder)
    assert folder.is_dir()
    for drop in drops.of_folder(data, 2):
        put(drop)
    assert places(folder) == ["day=1/a.parquet", "day=1/b.parquet", "day=2/c.parquet"]


def test_what_is_streamed_to_the_pod_arrives_the_same(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "science"
    for drop in drops.of_folder(data, 2):
        command = [sys.executable, "-c", drops._UNPACK, str(folder)]
        subprocess.run(command, input=drops.packed(drop.files), check=True)
    assert places(folder) == ["day=1/a.parquet", "day=1/b.parquet", "day=2/c.parquet"]
    assert (folder / "day=1/a.parquet").read_bytes() == (data / "day=1/a.parquet").read_bytes()


def test_the_tar_holds_hidden_names_only(data: Path) -> None:
    (drop,) = drops.of_folder(data, 1)
    assert isinstance(drop, Drop)
    with tarfile.open(fileobj=io.BytesIO(drops.packed(drop.files))) as tar:
        assert all(Path(name).name.startswith(".") for name in tar.getnames())
