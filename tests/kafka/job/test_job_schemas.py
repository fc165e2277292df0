"""The files' columns change: what readers can take goes on, and what they cannot stops the one output that has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from job_process import JobProcess
from job_stream import Stream
from received import everything, ids

from demo import science_alerts

COLUMN = "snn_sn_vs_all"


def drop(job: JobProcess, number: int, kind: pa.DataType | None) -> list[int]:
    """Twenty more alerts, in which COLUMN is of this type, or lacks."""
    table = science_alerts.generate(20, seed=12, first_id=20 * number).select(["objectId", "candid", "roid", COLUMN])
    position = table.column_names.index(COLUMN)
    if kind is None:
        table = table.remove_column(position)
    else:
        table = table.set_column(position, COLUMN, table.column(COLUMN).cast(kind))
    # The order of columns differs from file to file.
    table = table.select(table.column_names[:: -1 if number % 2 else 1])
    hidden = job.source / f"_{number}.parquet"
    pq.write_table(table, hidden)
    hidden.rename(job.source / f"{number}.parquet")
    found: list[int] = table.column("candid").to_pylist()
    return found


def test_a_schema_that_readers_cannot_take_stops_its_output_alone(
    stream: Stream, job: JobProcess, tmp_path: Path
) -> None:
    topics = {name: stream.topic(name) for name in ("whole", "ids")}
    file = tmp_path / "schemas" / "distribution_schema"
    whole: dict[str, Any] = {"name": "whole", "topic": topics["whole"], "schemaFile": str(file)}
    job.document["outputs"] = [whole, {"name": "ids", "topic": topics["ids"], "select": ["candid"]}]
    job.document["delivery"] = stream.allow_transactions(*topics)
    # First as it is, then with the columns turned round, then without one, which may be null: all the same to readers.
    sent = drop(job, 0, pa.float32())
    job.start()
    for number, kind in ((1, pa.float32()), (2, None)):
        job.until_read(20 * number)
        sent += drop(job, number, kind)
    job.until_read(60)
    assert ids(stream.login, topics["whole"]) == sorted(sent)
    keys = {message.key for message in everything(stream.login, [topics["whole"]])}
    assert len(keys) == 2
    assert file.read_bytes() in keys
    assert COLUMN.encode() not in file.read_bytes()

    refused = drop(job, 3, pa.string())
    job.until(lambda: job.output("whole").get("reason"), "the output stops")
    assert job.output("whole")["reason"] == "SchemaIncompatible"
    assert f"{COLUMN} is string or null, and was float or null" in job.output("whole")["error"]
    assert job.output("whole")["pendingFiles"] == 1
    sent += drop(job, 4, pa.float32())
    job.until_read(100)
    assert ids(stream.login, topics["whole"]) == sorted(sent)
    assert ids(stream.login, topics["ids"]) == sorted(sent + refused)
    job.stop()

    whole["rename"] = {COLUMN: "snn_text"}
    job.start()
    job.until(lambda: job.output("whole").get("pendingFiles") == 0, "it catches up after its mending")
    job.stop()
    messages = everything(stream.login, [topics["whole"]])
    assert sorted(message.alert["candid"] for message in messages) == sorted(sent + refused)
    texts = {message.alert["candid"]: message.alert["snn_text"] for message in messages if "snn_text" in message.alert}
    assert set(texts) == set(refused)
    assert json.loads(file.read_bytes())["fields"][-1]["name"] == "snn_text"
