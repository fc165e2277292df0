"""One thing fails, the others go on, and nothing is lost: each kind of failure, and the end of each."""

from __future__ import annotations

import socket
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from confluent_kafka.admin import AclOperation, AdminClient
from job_process import JobProcess
from job_stream import Stream
from received import ids

from demo import science_alerts
from testbed.broker import Broker

RAISES = "job_filters.gates.raises_until_mended"
DIES = "job_filters.gates.dies"
STUCK = "job_filters.gates.is_stuck_until_mended"
BOOM = "if(roid = 3, cast(raise_error('boom') as boolean), true)"


def alerts(rows: int, first: int) -> pa.Table:
    """Generated ones, with a column whose name Avro does not have."""
    table = science_alerts.generate(rows, seed=8, first_id=first)
    return table.append_column("bad name", pa.array([1] * rows, pa.int32()))


def candids(table: pa.Table) -> list[int]:
    return sorted(table.column("candid").to_pylist())


def damage(file: Path) -> None:
    """Overwrite the middle, where the pages are; the footer stays whole."""
    content = bytearray(file.read_bytes())
    third = len(content) // 3
    content[third : 2 * third] = bytes(value ^ 0x5A for value in content[third : 2 * third])
    _put(file, bytes(content))


def _put(file: Path, content: bytes) -> None:
    hidden = file.with_name(f".{file.name}")
    hidden.write_bytes(content)
    hidden.rename(file)


@pytest.mark.parametrize("guarantee", ["AtLeastOnce", "ExactlyOnce"])
def test_outputs_and_files_fail_alone_and_catch_up(stream: Stream, job: JobProcess, guarantee: str) -> None:
    def output(name: str, **more: Any) -> dict[str, Any]:
        return {"name": name, "topic": stream.topic(name), "select": ["candid", "objectId"], **more}

    broken = {
        "parse": (output("parse", filter={"sql": "roid >"}), "FilterInvalid", "cannot be parsed"),
        "column": (output("column", filter={"sql": "riod = 3"}), "ColumnMissing", "roid"),
        "import": (output("import", filter={"python": "job_filters.nowhere.f"}), "FilterImportFailed", "nowhere"),
        "forbidden": (output("forbidden", filter={"python": "os.path.exists"}), "FilterNotAllowed", "fink_filters"),
        "raises": (output("raises", filter={"python": RAISES}), "FilterRaised", "model's file is missing (line"),
        "dies": (output("dies", filter={"python": DIES}), "FilterRaised", "exited unexpectedly"),
        "stuck": (
            output("stuck", filter={"python": STUCK, "timeoutSeconds": 1}),
            "FilterTimedOut",
            "not be interrupted",
        ),
        "boom": (output("boom", filter={"sql": BOOM}), "FilterRaised", "boom"),
        "name": (output("name", select=["candid", "bad name"]), "EncodingFailed", "bad name"),
        "large": (output("large", select=["candid", "cutoutScience"]), "EncodingFailed", "max.message.bytes"),
        "absent": (
            {"name": "absent", "topic": stream.name("absent"), "select": ["candid"]},
            "TopicUnavailable",
            "does not exist",
        ),
        "readonly": (
            {"name": "readonly", "topic": stream.topic("readonly", writable=False), "select": ["candid"]},
            "TopicUnavailable",
            "Grant it Write",
        ),
    }
    is_exact = guarantee == "ExactlyOnce"
    if not is_exact:
        # What fails before anything is sent fails alike; the rest differs.
        broken = {name: broken[name] for name in ("raises", "dies", "stuck", "boom", "large", "absent", "readonly")}
    broken["large"][0]["topic"] = stream.topic("small", **{"max.message.bytes": "1500"})
    stream.allow("absent", AclOperation.DESCRIBE)
    good = output("good")
    # Each message fits, and the usual batch of them does not: the producer must not make one.
    tight = {**output("tight"), "topic": stream.topic("tight-limit", **{"max.message.bytes": "3000"})}
    job.document["outputs"] = [good, tight, *(one for one, _, _ in broken.values())]
    if is_exact:
        topics = (one["topic"].removeprefix(f"{stream.prefix}-") for one in job.document["outputs"])
        job.document["delivery"] = stream.allow_transactions(*topics)

    table = alerts(120, 0)
    files = job.drop(table, files=4)
    lost = alerts(40, 1000)
    truncated = job.source / "truncated.parquet"
    damaged = job.source / "damaged.parquet"
    for file, part in ((truncated, lost.slice(0, 20)), (damaged, lost.slice(20, 20))):
        pq.write_table(part, file.with_name(f".{file.name}"))
        file.with_name(f".{file.name}").rename(file)
    whole = {file: file.read_bytes() for file in (truncated, damaged)}
    _put(truncated, whole[truncated][:-2000])
    damage(damaged)

    job.start()
    job.until_read(120, timeout=240)
    for name, (_, reason, said) in broken.items():
        job.until(lambda n=name: job.output(n).get("reason"), f"{name} fails")
        assert job.output(name)["reason"] == reason, job.output(name)
        assert said in job.output(name)["error"], job.output(name)
        assert job.output(name)["pendingFiles"] == len(files), job.output(name)
    assert job.output("good") == {
        "name": "good",
        "matched": 120,
        "published": 120,
        "failed": 0,
        "dropped": 0,
        "pendingFiles": 0,
    }
    progress = job.progress()
    assert "lastError" not in progress
    assert progress["quarantinedFileCount"] == 2
    assert {Path(one["path"]).name for one in progress["quarantinedFiles"]} == {"truncated.parquet", "damaged.parquet"}
    sent = [ids(stream.login, one["topic"]) for one in (good, tight)]
    assert set(sent[0]) == set(sent[1]) == set(candids(table))
    assert not is_exact or sent == [candids(table)] * 2

    # What can be mended while the job runs.
    stream.topic("absent")
    stream.allow("readonly", AclOperation.WRITE)
    (job.gate / "mended").touch()
    for name in ("absent", "readonly", "raises"):
        job.until(lambda n=name: job.output(n)["pendingFiles"] == 0, f"{name} catches up")
        assert "reason" not in job.output(name)
        assert ids(stream.login, stream.name(name)) == candids(table), name
    _put(damaged, whole[damaged])
    job.until(lambda: job.progress()["quarantinedFileCount"] == 1, "the mended file is read")
    assert set(candids(lost)[20:]) <= set(ids(stream.login, good["topic"]))

    # What needs a new configuration, hence a restart; the restart tries the other file again too.
    job.stop()
    mended = {"parse": "roid > -1", "column": "roid > -1", "boom": "roid > -1"}
    for name, (one, _, _) in broken.items():
        one["select"] = ["candid"]
        if name in mended:
            one["filter"] = {"sql": mended[name]}
        elif name not in ("raises", "stuck"):
            one.pop("filter", None)
    _put(truncated, whole[truncated])
    job.start()
    for name in broken:
        job.until(lambda n=name: job.output(n).get("pendingFiles") == 0, f"{name} catches up after its mending")
    job.until(lambda: job.progress()["quarantinedFileCount"] == 0, "nothing is put aside any more")
    for name, (one, _, _) in broken.items():
        got = ids(stream.login, one["topic"])
        assert set(got) == set(candids(table) + candids(lost)), name
        # Nothing of theirs was sent before they worked, so nothing is there twice.
        # (but for the expression that raises on some alerts only: those before them had gone out with the first pass).
        assert len(got) == len(set(got)) or (name == "boom" and not is_exact), name
    job.stop()


def test_a_batch_waits_for_kafka(own_broker: Broker, tmp_path: Path, spark_jars: list[Path], eventually: Any) -> None:
    stream = Stream(AdminClient(own_broker.client_config()), own_broker.client_config(), tmp_path)
    job = JobProcess(tmp_path / "stream", stream.kafka, spark_jars, eventually)
    topic = stream.topic("all")
    job.document["outputs"] = [{"name": "all", "topic": topic, "select": ["candid"]}]
    job.document["delivery"] = stream.allow_transactions("all")
    tables = [science_alerts.generate(20, seed=1, first_id=first) for first in (0, 20, 40, 60)]
    port = job.open_port()
    try:
        job.drop(tables[0], files=1)
        job.start()
        job.until_read(20)
        own_broker.stop()
        waiting = job.drop(tables[1], files=1)
        job.until(lambda: job.progress().get("lastErrorReason") == "KafkaUnavailable", "Kafka is missed", timeout=240)
        assert own_broker.bootstrap in job.progress()["lastError"]
        assert job.metric("failed_attempts_total", reason="KafkaUnavailable")
        assert job.metric("lag_files") == len(waiting)
        waiting += job.drop(tables[2], files=1)
        job.until(lambda: job.metric("lag_files") == len(waiting), "files that come while a batch is held up are seen")
        assert job.metric("lag_bytes") == sum(file.stat().st_size for file in waiting)
        age = job.metric("lag_age_seconds") or 0
        assert age > 0
        job.until(lambda: (job.metric("lag_age_seconds") or 0) > age, "the oldest gets older")
        job.until(lambda: job.progress()["lag"]["files"] == len(waiting), "the progress says so too")
        assert job.progress()["lag"]["oldestFileTime"].endswith("Z")
        own_broker.start()
        job.until_read(60)
        assert "lastError" not in job.progress()
        job.until(lambda: job.metric("lag_files") == job.metric("lag_age_seconds") == 0, "all is distributed")

        own_broker.stop()
        job.drop(tables[3], files=1)
        job.until(lambda: job.progress().get("lastErrorReason") == "KafkaUnavailable", "Kafka is missed", timeout=240)
        job.stop()  # it does not wait for Kafka to come back
        own_broker.start()
        with socket.create_server(("", port)):
            job.start()
            job.until_read(20)
        job.until(lambda: job.progress().get("notes"), "the taken port is told of")
        (note,) = job.progress()["notes"]
        assert f"metrics.port: {port} cannot be opened" in note["message"], "and the alerts do not wait for it"
        assert set(ids(stream.login, topic)) == set(chain.from_iterable(map(candids, tables)))
        job.stop()
    finally:
        job.kill()
