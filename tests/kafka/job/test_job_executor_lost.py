"""Executors that are lost in the middle of a batch, as when a node goes: nothing is missing, and exactly once nothing is there twice."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import Any

import psutil
import pyarrow as pa
import pytest
from job_process import JobProcess
from job_stream import Stream
from received import everything

from demo import science_alerts

ALERTS = 20_000
TOPICS = ("all", "half", "sso", "json", "named")
# So that a task has sent what came before the alert that holds it.
SMALL_ARROW_BATCHES = {"spark.sql.execution.arrow.maxRecordsPerBatch": "200"}


def _outputs(stream: Stream) -> list[dict[str, Any]]:
    made: dict[str, dict[str, Any]] = {
        "all": {"filter": {"python": "job_filters.gates.waits"}},
        "half": {"filter": {"sql": "pmod(hash(candid), 2) = 0"}},
        "sso": {"filter": {"sql": "roid = 3"}},
        "json": {"format": "Json"},
        "named": {"select": ["objectId", "candid"]},
    }
    return [{"name": name, "topic": stream.topic(name), "select": ["candid"], **made[name]} for name in TOPICS]


def _executors(job: JobProcess) -> list[psutil.Process]:
    found = []
    for child in psutil.Process(job.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):  # one that ends right now, or has ended and is not waited for
            if any("CoarseGrainedExecutorBackend" in word for word in child.cmdline()):
                found.append(child)
    return found


def _alerts() -> pa.Table:
    few = science_alerts.generate(1000, seed=12, first_id=0)
    columns = [few.select(["objectId", "candid", "roid", "timestamp"])] * (ALERTS // few.num_rows)
    table = pa.concat_tables(columns)
    ids = pa.array(range(ALERTS), pa.int64())
    return table.set_column(table.column_names.index("candid"), "candid", ids)


@pytest.mark.parametrize("guarantee", ["ExactlyOnce", "AtLeastOnce"])
def test_no_alert_is_missing_when_all_executors_are_killed(stream: Stream, job: JobProcess, guarantee: str) -> None:
    job.document["outputs"] = _outputs(stream)
    if guarantee == "ExactlyOnce":
        job.document["delivery"] = stream.allow_transactions(*TOPICS)
    job.document["spark"]["conf"] |= {
        "spark.master": "local-cluster[2,1,1024]",
        "spark.executor.memory": "1g",
        **SMALL_ARROW_BATCHES,
    }
    table = _alerts()
    (job.gate / "hold").write_text(table.column("objectId")[600].as_py())
    job.drop(table, files=4)
    job.start()
    job.until((job.gate / "entered").exists, "a filter holds a task", timeout=240)
    lost = _executors(job)
    assert len(lost) == 2
    for executor in lost:
        executor.kill()
    (job.gate / "open").touch()
    job.until_read(ALERTS, timeout=240)
    job.stop()
    found = everything(stream.login, [output["topic"] for output in job.document["outputs"]])
    times = Counter((message.topic, int(message.headers["id"])) for message in found)
    of = {name: {number for topic, number in times if topic == stream.name(name)} for name in TOPICS}
    wanted = dict(zip(table.column("candid").to_pylist(), table.column("roid").to_pylist(), strict=True))
    assert of["all"] == of["json"] == of["named"] == set(wanted)
    assert of["sso"] == {candid for candid, roid in wanted.items() if roid == 3}
    assert 0.4 * ALERTS < len(of["half"]) < 0.6 * ALERTS
    twice = sum(count - 1 for count in times.values())
    print(f"{guarantee}: {twice} of {len(found)} messages are there twice")
    assert twice == 0 or guarantee == "AtLeastOnce"
