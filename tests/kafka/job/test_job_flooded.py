"""An output whose filter matches too much does not flood its topic."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from job_process import JobProcess
from job_stream import Stream
from received import everything, ids

from demo import science_alerts

ROWS = 300
EVERY = "true"
HALF = "pmod(candid, 2) = 0"


@pytest.mark.parametrize("guarantee", ["ExactlyOnce", "AtLeastOnce"])
def test_who_matches_too_many_gets_none_until_it_is_changed(stream: Stream, job: JobProcess, guarantee: str) -> None:
    def output(name: str, sql: str, **limits: Any) -> dict[str, Any]:
        return {
            "name": name,
            "topic": stream.topic(name),
            "select": ["candid"],
            "filter": {"sql": sql},
            **limits,
        }

    is_exact = guarantee == "ExactlyOnce"
    job.document["outputs"] = [
        output("free", EVERY),
        output("kept", HALF, maxMatchPercent=60),
        output("flooding", EVERY, maxMatchPercent=60),
    ]
    if is_exact:
        job.document["outputs"].append(output("capped", EVERY, maxAlertsPerBatch=70))
        job.document["outputs"].append(output("nightly", EVERY, maxBytesPerNight=20_000))
        job.document["nightBeginsAtHour"] = (datetime.now(UTC).hour + 12) % 24
        job.document["delivery"] = stream.allow_transactions("free", "kept", "flooding", "capped", "nightly")
    table = science_alerts.generate(ROWS, seed=9, first_id=0)
    candids = sorted(table.column("candid").to_pylist())
    files = job.drop(table, files=3)
    job.open_port()
    job.start()
    job.until_read(ROWS, timeout=240)
    job.until(lambda: job.output("flooding").get("reason"), "the flooding output is held")
    found = job.output("flooding")
    assert (found["reason"], found["published"]) == ("TooManyMatches", 0)
    assert found["pendingFiles"] == len(files)
    assert job.metric("output_stopped", output="flooding") == 1
    assert job.metric("output_stopped", output="free") == 0
    assert job.metric("output_waiting_files", output="flooding") == len(files)
    assert "of 300 alerts, more than maxMatchPercent (60)" in found["error"]
    assert ids(stream.login, stream.name("free")) == candids
    assert ids(stream.login, stream.name("kept")) == [candid for candid in candids if candid % 2 == 0]
    assert ids(stream.login, stream.name("flooding")) == []
    if not is_exact:
        return
    capped = job.output("capped")
    assert (capped["matched"], capped["published"], capped["dropped"]) == (ROWS, 70, ROWS - 70)
    some = ids(stream.login, stream.name("capped"))
    assert len(some) == len(set(some)) == 70
    assert set(some) < set(candids)
    assert job.metric("alerts_published_total", output="capped") == len(some)
    sent = everything(stream.login, [stream.name("capped")])
    assert job.metric("published_bytes_total", output="capped") == sum(len(message.value) for message in sent)
    assert job.metric("alerts_dropped_total", output="capped", reason="maxAlertsPerBatch") == ROWS - len(some)
    assert job.progress()["stageMilliseconds"].keys() == {"plan", "pass", "publish", "commit", "ledger"}
    # The next batch has an allowance of its own, and a batch that matches less is sent.
    more = science_alerts.generate(100, seed=9, first_id=1000)
    job.drop(more, files=1)
    job.until_read(ROWS + 100)
    assert len(ids(stream.login, stream.name("capped"))) == 140
    # A night has one for all its batches, and for the next driver too.
    nightly = job.output("nightly")
    tonight = everything(stream.login, [stream.name("nightly")])
    assert 20_000 - 200 < sum(len(message.key) + len(message.value) for message in tonight) <= 20_000
    assert (nightly["published"], nightly["dropped"]) == (len(tonight), ROWS + 100 - len(tonight))
    assert job.said().count("output nightly: it has had") == 1

    job.stop()
    del job.document["outputs"][2]["maxMatchPercent"]
    job.start()
    job.until(lambda: job.output("flooding").get("pendingFiles") == 0, "what waited is sent")
    assert ids(stream.login, stream.name("flooding")) == sorted(candids + more.column("candid").to_pylist())
    job.drop(science_alerts.generate(50, seed=9, first_id=2000), files=1)
    job.until_read(50)
    assert (job.output("nightly")["published"], job.output("nightly")["dropped"]) == (0, 50)
    assert "output nightly: it has had" not in job.said()
