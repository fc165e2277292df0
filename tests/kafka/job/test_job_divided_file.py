"""A file that is more than one transaction should have, and drivers that end between its parts."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from job_process import JobProcess
from job_stream import Stream
from job_verified import Verified
from received import everything

ROWS = 45_000
KILLED = ("after Transactions.commit", "before Journal.settle", "after Journal.intend", "after Journal.settle")


def test_each_alert_of_a_large_file_is_there_once(stream: Stream, job: JobProcess) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (ROWS, 1000), dtype=np.uint8)
    table = pa.table({"candid": list(range(ROWS)), "stamp": [row.tobytes() for row in noise]})
    topics = {name: stream.topic(name) for name in ("every", "some")}
    job.document["outputs"] = [
        {"name": "every", "topic": topics["every"], "select": ["candid"], "format": "Json"},
        {"name": "some", "topic": topics["some"], "filter": {"sql": "candid % 100 = 0"}},
    ]
    job.document["delivery"] = stream.allow_transactions(*topics)
    file, hidden = job.source / "a.parquet", job.source / "_a.parquet"
    pq.write_table(table, hidden, row_group_size=7001)
    hidden.rename(file)
    for point in KILLED:
        job.start(killed_at=point)
        assert job.ended(timeout=180) < 0
    job.start()
    job.until(lambda: not job.batches(committed=False), "the batch is committed")
    assert f"{file} has {ROWS} alerts, 43 MiB, and is distributed in 3 parts" in job.log.read_text()
    job.until(lambda: job.progress().get("rowsRead"), "it says so")
    assert job.progress()["rowsRead"] == ROWS // 3, "what the others had delivered is not read again"
    assert "Spark's default log4j profile" not in job.said(), "Spark logs as the job has it from the beginning"
    found = {name: everything(stream.login, [topic]) for name, topic in topics.items()}
    once = Counter(int(message.headers["id"]) for message in found["every"])
    assert once == Counter(range(ROWS))
    assert sorted(message.alert["candid"] for message in found["some"]) == list(range(0, ROWS, 100))
    said = Verified(job)
    assert (said.status, said.document["result"], said.document["problems"]) == (0, "equal", [])
    assert said.document["files"] == 1
    assert [said.topic(topics["every"])[name] for name in ("expected", "published", "repeated")] == [ROWS, ROWS, 0]
