"""Each alert once in each topic, whatever ends a driver, and whatever fails beside it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from confluent_kafka import Producer
from job_process import JobProcess
from job_stream import Stream
from received import everything, ids

from demo import science_alerts

KILLED = (
    "after Transactions.send 3000",
    "before Transactions.flush",
    "after Transactions.flush",
    "after Journal.intend",
    # Here the driver finds what the last one has left, which was not committed;
    "after Transactions.marked",
    "after Transactions.commit",
    # and here what was.
    "after Transactions.marked",
    "before Journal.settle",
    "after Journal.settle",
    "after Batches.run",
)
AT_ONCE = 2000


def _outputs(stream: Stream) -> list[dict[str, Any]]:
    half = {"sql": "pmod(hash(candid), 2) = 0"}
    made = {
        "all": {"select": ["candid", "objectId"]},
        "half": {"filter": half, "select": ["candid", "objectId"]},
        "sso": {"filter": {"sql": "roid = 3"}, "select": ["candid", "candidate"]},
        "json": {"select": ["candid"], "format": "Json"},
        "whole": {"filter": half, "drop": ["cutoutScience", "cutoutTemplate", "cutoutDifference"]},
    }
    return [
        {"name": name, "topic": stream.topic(name, **{"max.message.bytes": "4194304"}), **more}
        for name, more in made.items()
    ]


def test_a_reader_finds_each_alert_once_wherever_the_driver_is_killed(stream: Stream, job: JobProcess) -> None:
    outputs = job.document["outputs"] = _outputs(stream)
    job.document["delivery"] = stream.allow_transactions(*(output["name"] for output in outputs))
    expected: list[int] = []
    for number, point in enumerate(KILLED):
        job.start(killed_at=point)
        table = science_alerts.generate(AT_ONCE, seed=6, first_id=number * AT_ONCE)
        expected += table.column("candid").to_pylist()
        job.drop(table, files=3)
        job.ended(timeout=180)
    job.start()
    table = science_alerts.generate(20, seed=6, first_id=len(expected))
    job.drop(table, files=1)
    expected += table.column("candid").to_pylist()
    job.until(lambda: len(everything(stream.login, [outputs[3]["topic"]])) >= len(expected), "all is there", 180)
    job.stop()
    found = everything(stream.login, [output["topic"] for output in outputs])
    once = Counter((message.topic, int(message.headers["id"])) for message in found)
    assert not [which for which, times in once.items() if times > 1]
    of = {output["name"]: {number for topic, number in once if topic == output["topic"]} for output in outputs}
    assert of["all"] == of["json"] == set(expected)
    assert of["half"] == of["whole"]
    assert 0 < len(of["sso"]) < len(of["half"]) < len(expected)


def test_a_driver_that_another_one_has_followed_ends(stream: Stream, job: JobProcess) -> None:
    topic = stream.topic("all")
    job.document["outputs"] = [{"name": "all", "topic": topic, "select": ["candid"]}]
    job.document["delivery"] = stream.allow_transactions("all")
    tables = [science_alerts.generate(20, seed=3, first_id=first) for first in (0, 20)]
    job.drop(tables[0], files=1)
    job.start()
    job.until_read(20)
    newer = Producer({**stream.login, "transactional.id": stream.user})
    newer.init_transactions(30)
    job.drop(tables[1], files=1)
    assert job.ended(timeout=120) == 1
    assert "another driver publishes under the transactional id" in job.said()
    job.start()
    job.until_read(20)
    job.stop()
    assert ids(stream.login, topic) == sorted(candid for table in tables for candid in table["candid"].to_pylist())
