"""What a verification looks at, and what it makes of what it has counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from job_documents import changed

from distribution_job import durable_json
from distribution_job.alert_files import AlertFile
from distribution_job.backlog import Backlog
from distribution_job.config import parse
from distribution_job.file_log import FileLog
from distribution_job.ledger import Delivered, Ledger, Share, filter_digest
from distribution_job.outputs import Output
from distribution_job.verification import checkpoint
from distribution_job.verification.ranges import Range, between
from distribution_job.verification.report import Difference, Exit, Report, TopicCount, judged
from distribution_job.verification.scope import LOST, Numbered, scope, window

ALL, SN, NEAR = Output("all", "t-all"), Output("sn", "t-sn", sql="a > 1"), Output("near", "t-sn", sql="b > 1")
OUTPUTS = [ALL, SN, NEAR]
A, B, C = (AlertFile(f"file:/science/{name}.parquet", 1, 10) for name in "abc")


def delivered(number: int, *files: AlertFile, outputs: tuple[Output, ...] = (ALL, SN), **share: int) -> Delivered:
    counts = {"matched": 5, "published": 5, "dropped": 0, **share}
    shares = {output.name: Share(output.topic, filter_digest(output), **counts) for output in outputs}
    return Delivered(f"batch-{number:012d}", number * 100, number * 100 + 50, files, shares)


@pytest.mark.parametrize(
    ("first", "since", "chosen", "after", "is_whole"),
    [
        (0, 0, [0, 1, 2], -1, True),
        (1, 50, [1, 2, 3], 99, True),
        (7, 50, [7, 8, 9], 699, False),
        (7, 720, [7, 8, 9], 699, True),
        (7, 751, [8, 9], 750, True),
        (7, 850, [8, 9], 750, True),
        (7, 5000, [], 950, True),
    ],
)
def test_the_window_begins_where_the_delivery_before_has_ended(
    first: int, since: int, chosen: list[int], after: int, is_whole: bool
) -> None:
    found = window([delivered(number, A) for number in range(first, first + 3)], since)
    assert [each.begun // 100 for each in found.deliveries] == chosen
    assert (found.after, found.until, found.is_whole) == (after, (first + 2) * 100 + 50, is_whole)


def test_without_a_delivery_there_is_nothing_to_expect_since_then() -> None:
    found = window([], 700)
    assert (found.deliveries, found.after, found.until, found.is_whole) == ((), 700, 700, True)


def test_each_file_is_filtered_for_the_outputs_that_had_it() -> None:
    chosen = [delivered(1, A, B, dropped=2), delivered(2, B, outputs=(NEAR,), dropped=1), delivered(3, C)]
    plan = scope(chosen, OUTPUTS, lambda file: True)
    assert plan.files == {("all", "sn"): (A, C), ("all", "near", "sn"): (B,)}
    assert (plan.numbered, plan.notes) == ((), ())
    assert plan.dropped == {"t-all": 2, "t-sn": 3}
    assert {(each.file, each.topic, each.key) for each in plan.origins if each.file == C} == {
        (C, "t-all", chosen[2].key),
        (C, "t-sn", chosen[2].key),
    }


def test_what_cannot_be_filtered_again_is_held_against_the_drivers_numbers() -> None:
    chosen = [delivered(number, file) for number, file in enumerate((A, A, C, A))]
    plan = scope(chosen, OUTPUTS, lambda file: file != A)
    assert plan.files == {("all", "sn"): (C,)}
    assert [each for each in plan.numbered if each.topic == "t-sn"] == [
        Numbered("t-sn", 0, 150, 2, 10),
        Numbered("t-sn", 300, 350, 1, 5),
    ]
    assert "The files of 3 deliveries are not there any more" in plan.notes[0]


def test_an_output_whose_filter_was_another_is_counted_alone() -> None:
    before = Output("sn", "t-sn", sql="a > 2")
    plan = scope([delivered(1, A, outputs=(ALL, before)), delivered(2, B)], OUTPUTS, lambda file: True)
    assert plan.files == {("all",): (A,), ("all", "sn"): (B,)}
    assert [(each.topic, each.begun) for each in plan.numbered] == [("t-sn", 100)]
    assert "The output sn has another filter or topic than for 1 deliveries" in plan.notes[0]


def test_a_file_that_no_output_was_given_is_expected_of_all() -> None:
    plan = scope([delivered(1, A)], OUTPUTS, lambda file: True, lost=[B])
    assert plan.files == {("all", "sn"): (A,), ("all", "near", "sn"): (B,)}
    assert {each.key for each in plan.origins if each.file == B} == {LOST}


@pytest.mark.parametrize(
    ("begin", "start", "end", "expected"),
    [
        (0, 0, 9, Range(1, 0, 9, False)),
        (0, -1, 9, Range(1, 9, 9, False)),
        (3, 5, 9, Range(1, 5, 9, False)),
        (5, 5, 9, Range(1, 5, 9, True)),
        (9, -1, 9, Range(1, 9, 9, True)),
        (0, 0, 0, Range(1, 0, 0, False)),
        # An open transaction holds the end back.
        (0, 8, 4, Range(1, 4, 4, False)),
    ],
)
def test_a_partition_is_cut_where_kafka_has_removed_what_was_wanted(
    begin: int, start: int, end: int, expected: Range
) -> None:
    assert between(1, begin, start, end) == expected


@pytest.mark.parametrize(
    ("counts", "dropped", "expected"),
    [
        ({"missing": 5}, 5, {"missing": 0}),
        ({"missing": 5}, 3, {"missing": 2}),
        ({"missing": 5, "deleted": 3}, 7, {"missing": 0, "deleted": 1}),
        ({"missing": 5}, 6, {"missing": 0, "unexpected": 1}),
        ({"twice": 5}, 0, {"twice": 5}),
    ],
)
def test_what_was_dropped_on_purpose_is_not_missing(
    counts: dict[str, int], dropped: int, expected: dict[str, int]
) -> None:
    listed = tuple(Difference(kind, "1", 1, 0) for kind in counts)
    found = judged(TopicCount("t", ("a",), 9, 9, differences=listed, **counts), dropped)  # type: ignore[arg-type]
    kinds = ("missing", "twice", "unexpected", "deleted")
    assert {kind: getattr(found, kind) for kind in kinds} == {**dict.fromkeys(kinds, 0), **expected}
    assert [each.kind for each in found.differences] == [kind for kind in counts if expected.get(kind)]


@pytest.mark.parametrize(
    ("counts", "problems", "status"),
    [
        ({}, (), Exit.EQUAL),
        ({"dropped": 3, "repeated": 2}, (), Exit.EQUAL),
        ({"missing": 1}, ("but",), Exit.DIFFERENT),
        ({"twice": 1}, (), Exit.DIFFERENT),
        ({"unexpected": 1, "deleted": 1}, (), Exit.DIFFERENT),
        ({"numbered_expected": 2, "numbered_published": 1}, (), Exit.DIFFERENT),
        ({"numbered_expected": 2, "numbered_published": 2}, (), Exit.EQUAL),
        ({"deleted": 1}, (), Exit.UNVERIFIED),
        ({}, ("cannot be judged",), Exit.UNVERIFIED),
    ],
)
def test_the_exit_status(counts: dict[str, int], problems: tuple[str, ...], status: Exit) -> None:
    topics = [TopicCount("t", ("a",), 9, 9), TopicCount("u", ("b",), 9, 9, **counts)]  # type: ignore[arg-type]
    report = Report("ns", "ztf", "ExactlyOnce", 0, 1000, 1, 1, topics, problems=problems)
    assert report.exit is status
    document = json.loads(json.dumps(report.as_json()))
    assert (document["result"], document["until"]) == (status.name.lower(), "1970-01-01T00:00:01Z")
    assert set(document["topics"][0]["byNumber"]) == {"deliveries", "expected", "published"}


@pytest.mark.parametrize(
    ("beginning", "since", "lost"),
    [
        ({}, 0, [2, 5]),
        ({"startingFrom": "x", "since": 30}, 0, [5]),
        ({}, 25, [5]),
    ],
)
def test_a_file_that_was_found_and_neither_delivered_nor_waits_is_lost(
    tmp_path: Path, beginning: dict[str, Any], since: int, lost: list[int]
) -> None:
    log = FileLog(tmp_path / "files.db")
    log.pass_over([AlertFile("file:/science/was-there.parquet", 70, 1)])
    durable_json.write(tmp_path / "beginning.json", beginning)
    files = {number: AlertFile(f"file:/science/{number}.parquet", number * 10, 1) for number in range(7)}
    for number in range(6):
        log.commit(log.begin([files[number]]))
    log.begin([files[6]])
    log.close()
    ledger = Ledger(tmp_path / "ledger", lambda: 60)
    shares = {"all": Share("t-all", "x", 1, 1, 0)}
    for number in (1, 3):
        ledger.note(f"batch-{number}", 10, (files[number],), shares)
    Backlog(tmp_path / "backlog", ["all"]).put("all", "batch-4", [files[4]])
    before = sorted(tmp_path.rglob("*"))
    state = checkpoint.read(parse(changed(checkpoint__path=str(tmp_path))))
    assert state.lost(since) == [files[number] for number in lost]
    assert (state.waiting, len(state.deliveries)) == ({"all": 1}, 2)
    assert sorted(tmp_path.rglob("*")) == before
