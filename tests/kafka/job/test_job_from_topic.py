"""Another topic as the source, on the real broker."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import fastavro
from confluent_kafka import Producer
from confluent_kafka.admin import AclOperation
from job_process import JobProcess
from job_stream import Stream
from received import ids

OLD: dict[str, Any] = {
    "type": "record",
    "name": "alert",
    "fields": [{"name": "candid", "type": "long"}, {"name": "magpsf", "type": ["null", "float"]}],
}
NEW = {**OLD, "fields": [*OLD["fields"], {"name": "drb", "type": ["null", "double"]}]}


def produce(stream: Stream, topic: str, schema: dict[str, Any], candids: range, is_committed: bool = True) -> None:
    """Alerts as Fink's own messages have them: the key is the schema."""
    producer = Producer({**stream.login, "transactional.id": f"{topic}-source"})
    producer.init_transactions(30)
    producer.begin_transaction()
    for number in candids:
        value = io.BytesIO()
        fastavro.schemaless_writer(value, schema, {"candid": number, "magpsf": 17.5, "drb": 0.5})
        producer.produce(topic, value.getvalue(), json.dumps(schema).encode(), partition=number % 4)
    producer.flush(30)
    if is_committed:
        producer.commit_transaction()
    else:
        producer.abort_transaction()


def test_each_message_is_distributed_once(stream: Stream, job: JobProcess) -> None:
    source, topic = stream.topic("in", writable=False), stream.topic("out")
    stream.allow("in", AclOperation.READ)
    job.document["source"] = {"type": "kafka", "kafka": {"topic": source, "maxRowsPerBatch": 15}}
    job.document["outputs"] = [{"name": "out", "topic": topic}]
    job.document["delivery"] = stream.allow_transactions("out")
    produce(stream, source, OLD, range(40))
    produce(stream, source, OLD, range(900, 910), is_committed=False)
    for point in ("after Staging.put", "before Staging.note"):
        job.start(killed_at=point)
        job.ended(timeout=180)
    job.start()
    job.until(lambda: len(ids(stream.login, topic)) == 40, "what lay there is distributed")

    stray = Producer(stream.login)
    stray.produce(source, b"\x80", json.dumps(OLD).encode(), partition=0)
    stray.produce(source, b"no schema", b"no schema", partition=0)
    stray.flush(30)
    produce(stream, source, NEW, range(40, 50))
    job.until(lambda: len(job.progress().get("notes", ())) == 3, "all is told of")
    notes = " ".join(note["message"] for note in job.progress()["notes"])
    assert "1 messages of the topic" in notes
    assert "they are not of their schema" in notes
    assert "their schema is none that can be read" in notes
    assert "drb (double) is new" in notes
    job.until(lambda: len(ids(stream.login, topic)) >= 50, "what came later is distributed")
    job.until(lambda: job.progress().get("lag") == {"files": 0, "bytes": 0, "messages": 0}, "nothing is left")
    job.stop()
    assert ids(stream.login, topic) == list(range(50))


def test_a_stream_begins_in_a_topic_where_it_is_told_to(stream: Stream, job: JobProcess) -> None:
    source = stream.topic("in", writable=False)
    stream.allow("in", AclOperation.READ)
    produce(stream, source, OLD, range(20))
    noon = datetime.now(UTC)
    produce(stream, source, OLD, range(20, 40))
    checkpoint = job.checkpoint
    for number, (begins, there) in enumerate({"Latest": [], noon.isoformat(): [*range(20, 40)]}.items()):
        topic, last = stream.topic(f"out{number}"), 40 + number
        job.document["source"] = {"type": "kafka", "startingFrom": begins, "kafka": {"topic": source}}
        job.document["outputs"] = [{"name": "out", "topic": topic}]
        job.document["delivery"] = stream.allow_transactions(f"out{number}")
        place = checkpoint.with_name(f"checkpoint{number}")
        job.document["checkpoint"]["path"] = str(place)
        job.start()
        job.until((place / "source" / "spark" / "sources" / "0" / "0").exists, "Spark has noted where it begins")
        job.kill()
        produce(stream, source, OLD, range(last, last + 1))  # and what comes while it is away, after it
        expected = [*there, *range(40, last + 1)]
        job.start()
        job.until(lambda t=topic, e=expected: len(ids(stream.login, t)) >= len(e), "what came later is there")
        job.stop()
        assert ids(stream.login, topic) == expected
