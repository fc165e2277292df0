"""The job's end, wanted and unwanted, in the middle of a batch."""

from __future__ import annotations

from itertools import chain

import pyarrow as pa
from job_process import JobProcess
from job_stream import Stream
from received import ids

from demo import science_alerts

WAITS = "job_filters.gates.waits"


def hold(job: JobProcess, table: pa.Table) -> None:
    """Let the filter wait at the table's last alert, in its second file."""
    for name in ("entered", "open"):
        (job.gate / name).unlink(missing_ok=True)
    (job.gate / "hold").write_text(table.column("objectId")[-1].as_py())


def test_kill_loses_nothing_and_terminate_repeats_nothing(stream: Stream, job: JobProcess) -> None:
    topic = stream.topic("all")
    job.document["outputs"] = [
        {"name": "all", "topic": topic, "filter": {"python": WAITS}, "select": ["candid", "objectId"]}
    ]
    tables = [science_alerts.generate(60, seed=6, first_id=first) for first in (0, 60, 120)]
    candids = [sorted(table.column("candid").to_pylist()) for table in tables]

    # Killed when one file's alerts are in Kafka and the other's are not.
    hold(job, tables[0])
    job.drop(tables[0], files=2)
    job.start()
    job.until((job.gate / "entered").exists, "the batch is in its filter")
    sent = job.until(lambda: ids(stream.login, topic), "a part of the batch is sent")
    assert 0 < len(sent) < 60
    job.kill()
    assert job.batches(committed=True) == []
    (job.gate / "hold").unlink()
    job.start()
    job.until_read(60)
    assert set(ids(stream.login, topic)) == set(candids[0])
    known = len(ids(stream.login, topic))

    # Asked to end in the middle of a batch: it goes on to the batch's end, whatever comes meanwhile.
    hold(job, tables[1])
    job.drop(tables[1], files=2)
    job.until((job.gate / "entered").exists, "the batch is in its filter")
    job.terminate()
    job.until(lambda: job.progress()["state"] == "Draining", "it drains")
    job.drop(tables[2], files=2)  # for the next batch, which is not to begin
    job.terminate()
    assert job.alive()
    assert job.batches(committed=True) == [0]
    (job.gate / "open").touch()
    assert job.ended() == 0, job.said()[-3000:]
    assert job.batches(committed=True) == [0, 1]
    assert not job.ready.exists()
    assert ids(stream.login, topic)[known:] == candids[1]

    (job.gate / "hold").unlink()
    job.start()
    job.until_read(60)
    job.stop()
    received = ids(stream.login, topic)
    assert set(received) == set(chain.from_iterable(candids))
    assert len(received) == known + 120, "each of the later batches was sent once"
