"""Whole alerts, whole counts: generated and real ones, through a real job and broker."""

from __future__ import annotations

import json
import math
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import real_alerts
from confluent_kafka.admin import AclOperation
from fink_client.consumer import AlertConsumer
from job_process import JobProcess
from job_stream import Stream
from received import everything, ids

from demo import science_alerts
from distribution_job.stages import Stage

SSO = "fink_filters.ztf.livestream.filter_sso_ztf_candidates.filter.sso_ztf_candidates"
CUTOUTS = ["cutoutScience", "cutoutTemplate", "cutoutDifference"]


def test_each_output_gets_its_alerts_once_on_all_partitions(stream: Stream, job: JobProcess) -> None:
    names = ("all", "sso", "sn", "sn-ids")
    topics = {name: stream.topic(name, **{"max.message.bytes": "10485760"}) for name in names}
    for name in names:
        stream.allow(name, AclOperation.DESCRIBE_CONFIGS)  # with it the job sends in batches
    sn = {"sql": "snn_snia_vs_nonia > 0.5 AND snn_sn_vs_all > 0.5"}
    job.document["outputs"] = [
        {"name": "all", "topic": topics["all"]},
        {"name": "sso", "topic": topics["sso"], "filter": {"python": SSO}, "drop": CUTOUTS},
        {"name": "sn", "topic": topics["sn"], "filter": sn, "drop": CUTOUTS},
        {"name": "sn-ids", "topic": topics["sn-ids"], "filter": sn, "select": ["candid", "objectId"]},
    ]
    job.source.rmdir()  # it need not be there yet
    job.open_port()
    job.start()
    job.until(lambda: job.progress().get("state") == "Waiting", "it waits for the folder")
    job.until(job.ready.exists, "it is ready, since an empty folder is no fault of its own")
    drops = [science_alerts.generate(400, seed=5), science_alerts.generate(300, seed=5, first_id=400)]
    science_alerts.write(job.source, drops[0], files=3)
    job.until_read(400)
    assert job.ready.exists()
    # Half-written files have hidden names, and a job that took one would fail on it.
    (job.source / "_half.parquet").write_bytes(b"PAR1")
    (job.source / ".half.parquet").write_bytes(b"PAR1")
    (job.source / "empty.parquet").touch()
    science_alerts.write(job.source, drops[1], files=2)
    progress = job.until_read(700)

    frame = pa.concat_tables(drops).to_pandas()
    is_sn = (frame["snn_snia_vs_nonia"] > 0.5) & (frame["snn_sn_vs_all"] > 0.5)
    expected = {
        "all": sorted(frame["candid"]),
        "sso": sorted(frame["candid"][frame["roid"] == 3]),
        "sn": sorted(frame["candid"][is_sn]),
        "sn-ids": sorted(frame["candid"][is_sn]),
    }
    messages = everything(stream.login, list(topics.values()))
    for name, topic in topics.items():
        mine = [message for message in messages if message.topic == topic]
        assert sorted(message.alert["candid"] for message in mine) == expected[name], name
        assert len({message.partition for message in mine}) == 4, f"{name} uses all partitions"
        assert job.output(name)["matched"] == job.output(name)["published"] == len(mine)
        assert (
            job.metric("alerts_published_total", output=name)
            == job.metric("alerts_matched_total", output=name)
            == len(mine)
        )
    spread = Counter(message.partition for message in messages if message.topic == topics["all"])
    assert max(spread.values()) < 2 * min(spread.values()), spread
    assert progress["state"] == "Running"
    assert "lastError" not in progress
    assert progress["stageMilliseconds"].keys() == {"plan", "pass", "ledger"}, "the executors publish as they go"
    assert job.metric("alerts_read_total") == 700
    batches = job.metric("batch_duration_seconds_count")
    assert batches
    for stage in Stage:
        wanted = 0 if stage in (Stage.PUBLISH, Stage.COMMIT) else batches
        job.until(
            lambda s=stage, w=wanted: (job.metric("stage_duration_seconds_count", stage=s) or 0) >= w,
            f"{stage} is timed",
        )
    job.until(lambda: job.metric("lag_files") == 0, "nothing waits, and nobody waits for an empty file")

    for message in messages[:50]:
        schema = json.loads(message.key)
        assert json.dumps(schema, separators=(",", ":"), ensure_ascii=False).encode() == message.key
        assert message.headers["id"] == str(message.alert["candid"])
        assert message.headers["schema_name"] == "fink.alert"
        canonical = fastavro.schema.to_parsing_canonical_form(schema)
        assert message.headers["schema_fingerprint"] == fastavro.schema.fingerprint(canonical, "CRC-64-AVRO")
        assert abs(int(message.headers["producer_timestamp"]) / 1000 - datetime.now(UTC).timestamp()) < 600
    keys = {message.topic: message.key for message in messages}
    assert keys[topics["sso"]] == keys[topics["sn"]] != keys[topics["all"]]
    whole = next(message.alert for message in messages if message.topic == topics["all"])
    assert whole.keys() == {*science_alerts.SCHEMA.names, "year", "month", "day"}

    job.stop()
    assert job.progress()["state"] == "Draining"
    assert not job.ready.exists()
    before = len(messages)
    job.start()
    job.until(lambda: job.progress().get("state") == "Running", "it runs again")
    job.until(lambda: job.progress().get("lag") == {"files": 0, "bytes": 0}, "it knows what it has distributed before")
    science_alerts.write(job.source, science_alerts.generate(10, seed=5, first_id=700), files=1)
    job.until_read(10)
    assert job.progress()["rowsRead"] == 10, "what was distributed is not read again"
    assert len(ids(stream.login, topics["all"])) == 710
    assert before == sum(map(len, expected.values()))
    job.stop()
    assert stream.password not in job.log.read_text()


def test_real_alerts_go_through_unharmed_and_fink_client_reads_them(
    stream: Stream, job: JobProcess, shared_data: Path, tmp_path: Path
) -> None:
    """ZTF's and LSST's, from Avro and from Parquet; they have nothing in common but the folder."""
    ztf_avro, ztf_schema = real_alerts.avro(shared_data / "fink-client" / "ztf_part-3-305711.avro")
    lsst_avro, lsst_schema = real_alerts.avro(shared_data / "fink-client" / "lsst_part-2-918301.avro")
    originals: dict[str, list[dict[str, Any]]] = {"ztf": ztf_avro, "lsst": lsst_avro, "science": []}
    _put(job.source / "ztf.parquet", pa.Table.from_pylist(ztf_avro, schema=real_alerts.arrow_schema(ztf_schema)))
    science = shared_data / "fink-broker" / "ztf_science_20200101.parquet"
    table = pq.read_table(science)
    originals["science"] = table.to_pylist()
    _put(job.source / "science.parquet", science.read_bytes())
    topic = stream.topic("ztf", **{"max.message.bytes": "10485760"})
    other = stream.topic("lsst", **{"max.message.bytes": "10485760"})
    # What is a time in one of them is text in the other, which readers of one schema could not take.
    job.document["outputs"] = [{"name": "whole", "topic": topic, "compatibility": "None"}]
    # The two ZTF files have columns of different types, and are one batch all the same.
    job.start()
    job.until_read(len(originals["ztf"]) + len(originals["science"]), timeout=180)
    job.stop()
    job.document["source"]["path"] = str(job.source.with_name("lsst"))
    job.document["checkpoint"]["path"] = str(job.checkpoint.with_name("lsst-checkpoint"))
    job.document["outputs"] = [{"name": "whole", "topic": other}]
    job.source.with_name("lsst").mkdir()
    _put(
        job.source.with_name("lsst") / "lsst.parquet",
        pa.Table.from_pylist(lsst_avro, schema=real_alerts.arrow_schema(lsst_schema)),
    )
    job.start()
    job.until_read(len(originals["lsst"]), timeout=180)
    job.stop()

    sent = everything(stream.login, [topic, other])
    for kind, identity in (("ztf", "candid"), ("lsst", "diaSourceId"), ("science", "candid")):
        found = {
            message.alert[identity]: message.alert
            for message in sent
            if message.topic == (other if kind == "lsst" else topic)
        }
        for original in originals[kind]:
            decoded = found[original[identity]]
            for name, value in original.items():
                assert _same(value, decoded[name]), f"{kind} {original[identity]} {name}: {value!r} {decoded[name]!r}"
    assert len(sent) == sum(map(len, originals.values()))

    for survey, name in (("ztf", topic), ("lsst", other)):
        login = {
            "username": stream.login["sasl.username"],
            "password": stream.login["sasl.password"],
            "bootstrap.servers": stream.login["bootstrap.servers"],
            "group.id": stream.name(survey),
        }
        consumer = AlertConsumer([name], login, survey)
        try:
            wanted = {(message.topic, message.value) for message in sent if message.topic == name}
            polled = []
            while len(polled) < len(wanted):
                got, alert, _ = consumer.poll(timeout=30)
                assert got is not None, f"fink-client read {len(polled)} of {len(wanted)}"
                polled.append(alert)
        finally:
            consumer.close()
        identity = "candid" if survey == "ztf" else "diaSourceId"
        assert sorted(alert[identity] for alert in polled) == sorted(
            message.alert[identity] for message in sent if message.topic == name
        )


def _put(place: Path, content: pa.Table | bytes) -> None:
    hidden = place.with_name(f".{place.name}")
    if isinstance(content, bytes):
        hidden.write_bytes(content)
    else:
        pq.write_table(content, hidden)
    hidden.rename(place)


def _same(original: Any, decoded: Any) -> bool:
    """Equal in value; NaN equals NaN, an Arrow map equals a dict, and times compare as instants."""
    if isinstance(original, float) and isinstance(decoded, float):
        return original == decoded or (math.isnan(original) and math.isnan(decoded))
    if isinstance(original, datetime) and isinstance(decoded, datetime):
        return _instant(original) == _instant(decoded)
    if isinstance(original, dict) and isinstance(decoded, dict):
        return original.keys() == decoded.keys() and all(_same(original[key], decoded[key]) for key in original)
    if isinstance(original, list) and isinstance(decoded, dict):
        return _same(dict(original), decoded)
    if isinstance(original, list) and isinstance(decoded, list):
        return len(original) == len(decoded) and all(map(_same, original, decoded))
    return type(original) is type(decoded) and original == decoded


def _instant(time: datetime) -> datetime:
    """In UTC, which is what a time without a zone is in the Science Database; pandas' subclass without its nanoseconds."""
    plain = time.to_pydatetime(warn=False) if hasattr(time, "to_pydatetime") else time
    return plain if plain.tzinfo else plain.replace(tzinfo=UTC)


def test_a_stream_may_begin_with_what_comes_next(stream: Stream, job: JobProcess) -> None:
    topic = stream.topic("latest")
    job.document["source"]["startingFrom"] = "Latest"
    job.document["outputs"] = [{"name": "latest", "topic": topic, "select": ["candid"]}]
    science_alerts.write(job.source, science_alerts.generate(30, seed=4), files=2)
    job.start()
    job.until(lambda: "files that were there before" in job.log.read_text(), "it says what it leaves out")
    later = science_alerts.generate(20, seed=4, first_id=30)
    science_alerts.write(job.source, later, files=1)
    job.until_read(20)
    assert ids(stream.login, topic) == sorted(later["candid"].to_pylist())
