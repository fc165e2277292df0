"""`fink verify`: its options, what it makes of answers, and how it ends."""

from __future__ import annotations

import copy
import json
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from fink_distribution.cli.main import main
from fink_distribution.cli.verify import here
from fink_distribution.cli.verify.asking import Unverified, answer, errors, moment, step
from fink_distribution.cli.verify.rendering import print_report
from fink_distribution.local_kafka.configuration import generate

NOW = datetime(2026, 2, 1, 6, tzinfo=UTC)
DIFFERENCE = {
    "kind": "missing",
    "id": "697\x1b[2J",
    "expected": 1,
    "published": 0,
    "file": "file:/science/a.parquet",
    "batch": "batch-000000000012",
}
TOPIC: dict[str, Any] = {
    "topic": "fink_sn",
    "outputs": ["sn", "near"],
    "expected": 10,
    "published": 7,
    "dropped": 0,
    "missing": 3,
    "twice": 0,
    "unexpected": 0,
    "deleted": 0,
    "repeated": 0,
    "byNumber": {"deliveries": 0, "expected": 0, "published": 0},
    "differences": [DIFFERENCE],
}
DOCUMENT: dict[str, Any] = {
    "version": 1,
    "stream": {"namespace": "fink", "name": "ztf"},
    "delivery": "ExactlyOnce",
    "since": "2026-01-31T06:00:00Z",
    "until": "2026-02-01T05:59:00Z",
    "deliveries": 4,
    "files": 8,
    "result": "different",
    "topics": [TOPIC],
    "notes": ["3 files wait for the output near."],
    "problems": [],
}


def run(tmp_path: Path, line: str) -> Result:
    variables = {"FINK_HOME": str(tmp_path), "KUBECONFIG": str(tmp_path / "none"), "COLUMNS": "160"}
    return CliRunner(env=variables).invoke(main, ["verify", *shlex.split(line)], prog_name="fink")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12h", "2026-01-31T18:00:00.000Z"),
        ("90m", "2026-02-01T04:30:00.000Z"),
        ("7d", "2026-01-25T06:00:00.000Z"),
        ("2026-01-31T22:00:00Z", "2026-01-31T22:00:00.000Z"),
        ("2026-01-31T22:00:00.250+02:00", "2026-01-31T20:00:00.250Z"),
    ],
)
def test_a_time_is_given_as_such_or_as_how_long_ago(text: str, expected: str) -> None:
    assert moment(text, NOW) == expected


@pytest.mark.parametrize("text", ["yesterday", "12", "2026-01-31", "2026-01-31T22:00:00", "999999d", ""])
def test_what_is_no_time_is_said_with_what_is(text: str) -> None:
    with pytest.raises(
        click.BadParameter, match=r"is no time\. Give one with its offset, 2026-01-31T22:00:00Z, or how long ago"
    ):
        moment(text, NOW)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("ztf --since yesterday", "yesterday is no time"),
        ("ztf --memory 4", "4 is no amount of memory; give one as 512Mi or 4Gi"),
        ("ztf -c fink.conf", "Give a STREAM of Kubernetes, or the configuration file"),
        ("ztf", "there is no kubeconfig"),
        ("-c none.conf", "none.conf is not there"),
    ],
)
def test_what_cannot_be_asked_is_said(tmp_path: Path, line: str, said: str) -> None:
    done = run(tmp_path, line)
    assert done.exit_code == 2
    assert said in " ".join(done.output.split())


def test_the_answer_is_the_line_among_the_log() -> None:
    said = f"2026-02-01 INFO distribution_job.verify reading\nWARN of Spark's\n{json.dumps(DOCUMENT)}\nand a last word"
    assert answer(said) == DOCUMENT
    assert answer("nothing\n") is None
    assert (
        errors("a log\nerror: The user may not read the topic t.\nanother log\n")
        == "The user may not read the topic t."
    )
    assert errors("1\n2\n\n3\n4\n") == "2 3 4"


@pytest.mark.parametrize(("result", "status"), [("equal", 0), ("different", 1), ("unverified", 2)])
def test_the_result_is_the_exit_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, result: str, status: int
) -> None:
    monkeypatch.setattr(here, "ask", lambda file, question: {**DOCUMENT, "result": result})
    assert run(tmp_path, "").exit_code == status
    done = run(tmp_path, "-o json")
    assert (done.exit_code, json.loads(done.output)["result"]) == (status, result)


def test_what_is_being_done_is_the_jobs_own_word() -> None:
    start = "2026-11-27 07:54:06,120 INFO distribution_job.verify starting Spark\n"
    spark = "WARNING: Using incubator modules: jdk.incubator.vector\n26/11/27 07:54:08 WARN Utils: Set SPARK_LOCAL_IP\n"
    assert step(spark) is None
    assert step(f"{start}{spark}") == "starting Spark"
    later = "2026-11-27 07:54:20,001 INFO distribution_job.verify filtering 9 files again\n"
    assert step(f'{start}{spark}{later}{{"version": 1, "result": "equal"}}\n') == "filtering 9 files again"


def test_nothing_is_said_to_be_well_without_an_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    generate(tmp_path / "fink.conf", 1)
    monkeypatch.setattr("fink_distribution.cli.verify.here.connectors", lambda program: tmp_path)
    monkeypatch.setattr("fink_distribution.local_jobs.programs.answered", lambda program, words: "")
    done = run(tmp_path, "")
    assert (done.exit_code, "it could not be counted" in done.output) == (Unverified.STATUS, True)


def test_an_interruption_is_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(file: Path | None, question: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(here, "ask", ask)
    assert run(tmp_path, "").exit_code == Unverified.STATUS


def printed(document: dict[str, Any]) -> str:
    console = Console(width=200, highlight=False)
    with console.capture() as capture:
        print_report(document, console)
    return capture.get()


def test_the_table_names_each_difference_and_how_many_are_not_listed() -> None:
    text = printed(DOCUMENT)
    assert "fink/ztf: 4 deliveries of 8 files, 2026-01-31T06:00:00Z to 2026-02-01T05:59:00Z" in text
    for word in ("fink_sn", "sn, near", "697 [2J", "file:/science/a.parquet (batch-000000000012)"):
        assert word in text
    assert "... and 2 more missing in fink_sn; --limit lists more." in text
    assert "Note: 3 files wait for the output near." in text
    assert text.rstrip().endswith("It differs.")
    assert "\x1b" not in text
    assert "BY NUMBER" not in text


def test_what_was_only_counted_or_may_be_deleted_is_said() -> None:
    document = copy.deepcopy(DOCUMENT)
    topic = document["topics"][0]
    topic |= {
        "missing": 0,
        "deleted": 3,
        "differences": [],
        "byNumber": {"deliveries": 2, "expected": 5, "published": 4},
    }
    text = printed({**document, "problems": ["It began later."]})
    assert "4 of 5" in text
    assert "Not verified: What is deleted was older" in text
    assert "Not verified: It began later." in text
