"""A database's table as the source, with a real PostgreSQL."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from job_process import JobProcess
from job_stream import Stream
from received import everything, ids

from testbed.authority import Authority
from testbed.postgres import Postgres

TABLE = """
CREATE TABLE alerts (candid bigint PRIMARY KEY, "updatedAt" timestamptz, magpsf real, tags text[], stamp bytea);
CREATE INDEX ON alerts ("updatedAt");
"""
NIGHT = "2026-01-31 22:00:{second:02d}+00"


def rows(candids: range, second: int = 0) -> str:
    """Rows that all have the same cursor."""
    moment = NIGHT.format(second=second)
    values = ", ".join(f"({number}, '{moment}', 17.5, '{{a,b}}', '\\x00ff')" for number in candids)
    return f"INSERT INTO alerts VALUES {values};"  # noqa: S608  the test's own words


def named_rows(columns: str, values: str) -> str:
    return f'INSERT INTO alerts (candid, "updatedAt", {columns}) VALUES {values};'  # noqa: S608  the same


@pytest.fixture
def job_from_table(stream: Stream, job: JobProcess, postgres: Postgres, tmp_path: Path) -> JobProcess:
    credentials = tmp_path / "database"
    credentials.mkdir()
    (credentials / "username").write_text(postgres.user)
    (credentials / "password").write_text(postgres.password)
    job.document["outputs"] = [
        {"name": "all", "topic": stream.topic("all"), "compatibility": "None"},
        {"name": "odd", "topic": stream.topic("odd"), "select": ["candid"], "filter": {"sql": "candid % 2 = 1"}},
    ]
    job.document["delivery"] = stream.allow_transactions("all", "odd")
    job.document["source"] = {
        "type": "jdbc",
        "jdbc": {
            "url": postgres.url,
            "table": "public.alerts",
            "cursorColumn": "updatedAt",
            "keyColumns": ["candid"],
            "maxRowsPerBatch": 25,
            "lateWithin": 30,
            "credentialsDirectory": str(credentials),
        },
    }
    return job


def test_each_row_is_distributed_once(
    stream: Stream, job_from_table: JobProcess, postgres: Postgres, tmp_path: Path
) -> None:
    job = job_from_table
    postgres.sql(TABLE + rows(range(60)))
    for point in ("after Staging.put 2", "before Staging.note", "after Staging.clean"):
        job.start(killed_at=point)
        job.ended(timeout=180)
    job.start()

    # The first comes late, with a cursor before the others'; the second is as late as it may be with the same one.
    with contextlib.ExitStack() as ending:
        late = ending.enter_context(postgres.session())
        assert late.stdin is not None
        late.stdin.write(f"BEGIN; {rows(range(60, 62), second=0)} {rows(range(62, 64), second=20)}\n")
        late.stdin.flush()
        postgres.sql(rows(range(64, 70), second=20))
        job.until(lambda: 69 in ids(stream.login, stream.name("all")), "what was committed first is there")
        late.stdin.write("COMMIT;\n")
    job.until(lambda: len(ids(stream.login, stream.name("odd"))) >= 35, "what was committed late is there")

    new = ", ".join(f"({number}, '{NIGHT.format(second=20)}', 0.5)" for number in (70, 71))
    changed = "ALTER TABLE alerts ADD drb real, ALTER magpsf TYPE double precision;"
    postgres.sql(changed + named_rows("drb", new))
    job.until(lambda: job.progress().get("notes"), "the new column is told of")
    (note,) = job.progress()["notes"]
    assert "drb (float) is new; magpsf was float and is double" in note["message"]

    (tmp_path / "database" / "password").write_text("no-such-secret")
    job.until(lambda: job.progress().get("lastErrorReason") == "SourceUnavailable", "the login is refused")
    assert "password authentication failed" in job.progress()["lastError"]
    (tmp_path / "database" / "password").write_text(postgres.password)
    postgres.sql(named_rows("drb", f"(72, '{NIGHT.format(second=21)}', 0.5)"))
    job.until(lambda: 72 in ids(stream.login, stream.name("all")), "it goes on with the right login")
    job.stop()

    assert ids(stream.login, stream.name("all")) == list(range(73))
    assert ids(stream.login, stream.name("odd")) == list(range(1, 73, 2))
    first: dict[str, Any] = next(
        message.alert for message in everything(stream.login, [stream.name("all")]) if message.headers["id"] == "0"
    )
    assert (first["magpsf"], first["tags"], first["stamp"]) == (17.5, ["a", "b"], b"\x00\xff")
    staged = list((job.checkpoint / "staging").glob("*/*/*.parquet"))
    assert len(staged) < 6, "what has been distributed is removed"
    said = job.log.read_text(errors="replace")
    assert postgres.password not in said
    assert "no-such-secret" not in said


def test_a_database_is_read_over_tls_if_its_certificate_is_the_right_one(
    stream: Stream, job_from_table: JobProcess, postgres: Postgres, tmp_path: Path
) -> None:
    job, right = job_from_table, Authority(tmp_path / "right")
    wrong, chosen = Authority(tmp_path / "wrong"), tmp_path / "ca.crt"
    postgres.sql(TABLE + rows(range(20)))
    postgres.demand_tls(right)
    chosen.write_bytes(wrong.certificate.read_bytes())
    job.document["source"]["jdbc"]["caFile"] = str(chosen)
    job.start()
    job.until(lambda: job.progress().get("lastErrorReason") == "SourceUnavailable", "the server is not trusted")
    assert "SSL error: PKIX path validation failed" in job.progress()["lastError"]
    chosen.write_bytes(right.certificate.read_bytes())
    job.until(lambda: len(ids(stream.login, stream.name("all"))) >= 20, "the alerts are distributed")
    assert ids(stream.login, stream.name("all")) == list(range(20))
    job.stop()
