"""A file that is too large for one delivery is distributed in parts, each row in one of them."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from distribution_job.alert_files import AlertFile, all_without, divided, joined, without
from distribution_job.alert_reader import AlertReader
from distribution_job.backlog import Backlog
from distribution_job.failures import FileError
from distribution_job.journal import Effect, Journal
from distribution_job.ledger import Ledger
from distribution_job.outputs import Output

ROWS = 45_000
WHOLE = AlertFile("file:/d/a.parquet", 1, 1000)
PARTS = divided(replace(WHOLE, end=10, rows=10), 3)


def part(begin: int, end: int) -> AlertFile:
    return replace(WHOLE, begin=begin, end=end, rows=10)


def test_parts_are_as_large_as_each_other_and_share_no_row() -> None:
    parts = list(PARTS)
    assert parts == [part(0, 3), part(3, 6), part(6, 10)]
    assert [each.size for each in PARTS] == [300, 300, 400]
    assert {each.whole for each in PARTS} == {WHOLE}
    assert len({each.mark for each in [*PARTS, WHOLE]}) == 4
    assert [AlertFile.from_json(file.to_json()) for file in [WHOLE, *PARTS]] == [WHOLE, *PARTS]
    named = [AlertFile.from_mark(file.mark) for file in [WHOLE, *PARTS]]
    assert named == [replace(file, modified=0, length=0) for file in [WHOLE, *PARTS]]
    assert divided(PARTS[2], 2) == [part(6, 8), part(8, 10)]


@pytest.mark.parametrize(
    ("file", "gone", "left"),
    [
        (WHOLE, [], [WHOLE]),
        (WHOLE, [WHOLE], []),
        (WHOLE, [replace(WHOLE, modified=2)], []),
        (WHOLE, [AlertFile("file:/d/b.parquet", 1, 1000)], [WHOLE]),
        (WHOLE, PARTS, []),
        (WHOLE, PARTS[:1], [part(3, 10)]),
        (WHOLE, PARTS[1:2], [part(0, 3), part(6, 10)]),
        (WHOLE, PARTS[2:], [part(0, 6)]),
        (WHOLE, [PARTS[2], PARTS[0]], [part(3, 6)]),
        (WHOLE, [part(2, 5), part(4, 7), part(4, 5)], [part(0, 2), part(7, 10)]),
        (part(3, 6), [], [part(3, 6)]),
        (part(3, 6), [WHOLE], []),
        (part(3, 6), [part(0, 3), part(6, 10)], [part(3, 6)]),
        (part(3, 6), [part(0, 4)], [part(4, 6)]),
        (part(3, 6), [part(5, 10)], [part(3, 5)]),
        (part(3, 6), [part(4, 5)], [part(3, 4), part(5, 6)]),
    ],
)
def test_what_is_left_of_a_file_without_some_parts(
    file: AlertFile, gone: list[AlertFile], left: list[AlertFile]
) -> None:
    assert without(file, gone) == left
    assert all_without([file], gone) == left


def test_parts_that_are_all_there_are_the_file() -> None:
    other = AlertFile("file:/d/b.parquet", 1, 5)
    assert joined([PARTS[2], other, PARTS[0], PARTS[1]]) == [WHOLE, other]
    assert joined(PARTS[:2]) == PARTS[:2]


def test_each_output_gets_what_it_lacks_of_a_file(tmp_path: Path) -> None:
    outputs = [Output(name, name) for name in "abc"]
    journal = Journal(Backlog(tmp_path / "b", []), Ledger(tmp_path / "ledger"), tmp_path / "delivery.json")
    for effect in (Effect("batch-1", (part(0, 3),), ("a", "b")), Effect("batch-1", (part(3, 6),), ("a",))):
        journal.settle(effect)
    again = Journal(Backlog(tmp_path / "b", []), Ledger(tmp_path / "ledger"), tmp_path / "delivery.json")
    missing = again.missing("batch-1", [WHOLE], outputs)
    assert [(some, [output.name for output in lacking]) for some, lacking in missing] == [
        ([part(6, 10)], ["a"]),
        ([part(3, 10)], ["b"]),
        ([WHOLE], ["c"]),
    ]


def test_what_waits_for_an_output_is_what_it_lacks_of_a_file(tmp_path: Path) -> None:
    backlog = Backlog(tmp_path, ["a"])
    backlog.put("a", "batch-1", [WHOLE])
    backlog.discard("a", "batch-1", [part(0, 3)])
    assert [entry.files for entry in Backlog(tmp_path, ["a"]).entries("a")] == [(part(3, 10),)]


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 45 MB, in row groups whose bounds are nobody's."""
    place = tmp_path_factory.mktemp("large") / "a.parquet"
    noise = np.random.default_rng(5).integers(0, 256, (ROWS, 1000), dtype=np.uint8)
    columns = {"candid": pa.array(range(ROWS)), "_metadata": pa.array(map(str, range(ROWS)))}
    table = pa.table({**columns, "stamp": pa.array([row.tobytes() for row in noise])})
    pq.write_table(table, place, row_group_size=7001)
    return place


def _file(place: Path) -> AlertFile:
    return AlertFile(f"file:{place}", 1, place.stat().st_size)


def test_each_row_of_a_large_file_is_in_one_part(
    spark: SparkSession, large: Path, caplog: pytest.LogCaptureFixture
) -> None:
    reader, small = AlertReader(spark, str(large.parent)), AlertFile("file:/d/b.parquet", 1, 5)
    with caplog.at_level(logging.INFO):
        small_and_parts = list(reader.parts([small, _file(large)]))
    assert small_and_parts[0] == small
    parts = small_and_parts[1:]
    assert f"{large} has {ROWS} alerts, 43 MiB, and is distributed in 3 parts" in caplog.text
    found = [[row["candid"] for row in reader.read([each]).select("candid").collect()] for each in parts]
    assert list(map(len, found)) == [each.end - each.begin for each in parts] == [15_000] * 3
    assert sorted(candid for each in found for candid in each) == list(range(ROWS))
    assert list(reader.parts(parts)) == parts
    [rest] = without(_file(large), parts[:1])
    assert list(reader.parts([rest])) == parts[1:], "what is left of it is divided again"
    [(group, two)] = reader.tables([parts[2], parts[0]])
    assert group == (parts[0], parts[2])
    assert sorted(row["candid"] for row in two.select("candid").collect()) == sorted(found[0] + found[2])
    assert two.schema == reader.read([_file(large)]).schema, "a column of that name is the alert's"
    alike = [(group, table.count()) for group, table in reader.alike(parts[:2])]
    assert alike == [(tuple(parts[:2]), 30_000)]


def test_parts_are_no_table_with_other_files(spark: SparkSession, large: Path) -> None:
    other = large.parent / "b.parquet"
    pq.write_table(pa.table({"candid": [ROWS]}), other)
    reader = AlertReader(spark, str(large.parent))
    [first, *_] = reader.parts([_file(large)])
    groups = {group: table.count() for group, table in reader.tables([first, _file(other)])}
    assert groups == {(first,): 15_000, (_file(other),): 1}


def test_a_large_file_without_a_footer_is_blamed(spark: SparkSession, large: Path, tmp_path: Path) -> None:
    place = tmp_path / "cut.parquet"
    place.write_bytes(large.read_bytes()[:-100])
    with pytest.raises(FileError, match=r"cut\.parquet .*cannot be read"):
        list(AlertReader(spark, str(tmp_path)).parts([_file(place)]))
