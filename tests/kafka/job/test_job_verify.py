"""What has been published, recounted beside the running job: all well, and then not."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from confluent_kafka import Producer, TopicPartition
from job_process import JobProcess
from job_stream import Stream
from job_verified import Verified
from received import everything

from demo import science_alerts

BRIGHT = "distribution_job.filters.bright.bright_and_real"
CAP = 70
ROWS = (300, 100)


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(file): (file.stat().st_mtime_ns, file.stat().st_size) for file in folder.rglob("[!.]*") if file.is_file()
    }


def test_each_alert_is_accounted_for(stream: Stream, job: JobProcess) -> None:
    every, some, capped = (stream.topic(name) for name in ("every", "some", "capped"))
    job.document["outputs"] = [
        {"name": "every", "topic": every, "select": ["candid"]},
        {"name": "sso", "topic": some, "filter": {"sql": "roid = 3"}, "select": ["objectId"]},
        {"name": "bright", "topic": some, "filter": {"python": BRIGHT}, "select": ["objectId"]},
        {"name": "capped", "topic": capped, "filter": {"sql": "true"}, "select": ["candid"], "maxAlertsPerBatch": CAP},
    ]
    job.document["delivery"] = stream.allow_transactions("every", "some", "capped")
    table = science_alerts.generate(ROWS[0], seed=9)
    job.drop(pa.concat_tables([table, table.slice(0, 1)]), files=3)  # one alert is there twice
    job.start()
    job.until_read(ROWS[0] + 1)
    later = science_alerts.generate(ROWS[1], seed=9, first_id=ROWS[0])
    last = job.drop(later, files=1, folder="a night, 100%")[-1]
    read = sum(ROWS) + 1
    job.until_read(read)
    job.until(lambda: not job.batches(committed=False), "the batch is committed")

    before = tree(job.checkpoint)
    well = Verified(job)
    assert (well.status, well.document["result"], well.document["problems"]) == (0, "equal", [])
    assert tree(job.checkpoint) == before
    assert [well.topic(every)[name] for name in ("expected", "published", "repeated")] == [read, read, 1]
    both = well.topic(some)
    assert both["outputs"] == ["sso", "bright"]
    assert 0 < both["expected"] == both["published"]
    assert [well.topic(capped)[name] for name in ("expected", "published", "dropped")] == [
        read,
        2 * CAP,
        read - 2 * CAP,
    ]
    assert stream.password not in well.err

    # As if another had published, and as if an alert had been forgotten.
    mine = everything(stream.login, [every])
    copied = mine[5]
    producer = Producer(stream.login)
    producer.produce(every, copied.value, copied.key, headers=list(copied.headers.items()))
    producer.produce(every, b"what", b"ever", headers=[("id", b"foreign")])
    producer.produce(some, b"what", b"ever")
    assert producer.flush(30) == 0
    more = science_alerts.generate(1, seed=9, first_id=5000)
    pq.write_table(pa.concat_tables([pq.read_table(last, partitioning=None), more]), last)
    forgotten = str(more["candid"][0].as_py())
    found = Verified(job, "--limit", "5")
    assert found.status == 1
    assert found.found(every) == {"missing": 1, "twice": 1, "unexpected": 1}
    [missing] = found.listed(every, "missing")
    assert (missing["id"], missing["expected"], missing["published"]) == (forgotten, 1, 0)
    assert missing["file"].endswith(str(last))
    assert missing["batch"] == "batch-000000000001"
    [twice] = found.listed(every, "twice")
    assert (twice["id"], twice["published"] - twice["expected"]) == (copied.headers["id"], 1)
    [foreign] = found.listed(every, "unexpected")
    assert (foreign["id"], foreign["published"]) == ("foreign", 1)
    assert {"partition", "offset"} <= foreign.keys()
    assert [each.get("id") for each in found.listed(some, "unexpected")] == [None]
    assert "Files were changed after they had been distributed" in str(found.document["notes"])

    # What is from before the later batch is neither expected nor unexpected. What Kafka has removed is no longer known to have been there, and
    # what an output has published with another filter is counted by number.
    for future in stream.admin.delete_records(
        [TopicPartition(every, partition, -1) for partition in range(3)]
    ).values():
        future.result()
    outputs = [*job.document["outputs"][:3], {**job.document["outputs"][3], "filter": {"sql": "roid = 3"}}]
    left = Verified(job, "--since", well.document["until"], outputs=outputs)
    assert 0 < left.topic(some)["expected"] < both["expected"]
    assert left.found(some) == {"unexpected": 1}
    numbered = left.topic(capped)["byNumber"]
    assert numbered["published"] == numbered["expected"] == CAP
    assert left.topic(capped)["expected"] == 0
    assert left.topic(every)["deleted"] > 0
    assert left.topic(every)["published"] < left.topic(every)["expected"]
    assert "The output capped has another filter" in str(left.document["notes"])

    # The driver is none the worse for it.
    job.drop(science_alerts.generate(20, seed=9, first_id=9000), files=1)
    job.until_read(read + 20)
    job.stop()


def test_what_cannot_be_verified_is_said(stream: Stream, job: JobProcess) -> None:
    topic = stream.topic("unread")
    job.document["outputs"] = [{"name": "unread", "topic": topic}]
    refused = Verified(job)
    assert (refused.status, refused.document) == (2, {})
    assert f"The user may not read the topic {topic}. Grant it Read and Describe there" in refused.err
    unknown = Verified(job, "--only", "unred")
    assert (unknown.status, "the stream has no output unred. Close to it: unread." in unknown.err) == (2, True)
    wrong = Verified(job, "--since", "yesterday")
    assert (wrong.status, "yesterday is no time" in wrong.err) == (2, True)
    job.document["kafka"]["bootstrapServers"] = "127.0.0.1:1"
    away = Verified(job)
    assert (away.status, "Kafka at 127.0.0.1:1 cannot be asked" in away.err) == (2, True)
