"""The walkthrough of docs/local.md on real parts: a Kafka, alerts of the science database, Spark, and a reader."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import signal
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from confluent_kafka import Producer
from local_kafka_scene import TOPIC, Local, Watcher, acls, is_gone, prepare
from received import everything
from started_job import started_job

from demo import science_alerts
from fink_command import fink, fink_kafka
from slack_server import TOKEN, slack_server
from testbed import paths
from testbed.fixtures import wait_for


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    """A home whose Kafka is stopped at the end, whatever has started it."""
    made = prepare(tmp_path_factory.mktemp("fink"))
    yield made
    made.run("stop")


def science_files(folder: Path) -> list[Path]:
    """ZTF's alerts as they lie in the Science Database; made-up ones where the real ones are not at hand."""
    default = paths.CHECKOUT.parent / "shared" / "data"
    data = Path(os.environ.get("FINK_SHARED_DATA", default)) / "fink-broker"
    if data.is_dir():
        return sorted(data.glob("ztf_science_*.parquet"))
    print(f"The real alerts are not at {data}; made-up ones are distributed. FINK_SHARED_DATA names another folder.")
    return science_alerts.write(folder, science_alerts.generate(20, seed=1), 2)


def drop(files: Sequence[Path], science: Path) -> set[str]:
    """Let the files appear in the science database, whole and at once, and return their objects."""
    hidden = science / "_night"
    hidden.mkdir(parents=True)
    for file in files:
        shutil.copyfile(file, hidden / file.name)
    hidden.rename(science / "night")
    return {name for file in files for name in pq.read_table(file, columns=["objectId"]).column("objectId").to_pylist()}


def publish(local: Local, name: str, *headers: tuple[str, str]) -> None:
    """Publish an alert of an object that another distribution might have sent."""
    producer = Producer({**local.settings("admin"), "message.timeout.ms": 10_000})
    alert = {"objectId": name, "candid": 1, "cdsxmatch": "RRLyr"}
    producer.produce(
        TOPIC, json.dumps(alert).encode(), key=b"1", headers=[(name, text.encode()) for name, text in headers]
    )
    assert producer.flush(15) == 0


def test_the_walkthrough(local: Local, tmp_path: Path) -> None:
    home, texts = local.home, list[str]()

    def do(*arguments: str, stdin: str = "") -> str:
        done = fink_kafka(*arguments, home=home, stdin=stdin)
        assert done.status == 0, done.out + done.err
        texts.extend((done.out, done.err))
        return done.out

    with Watcher() as watcher:
        assert "1 broker(s) started: it listens at 127.0.0.1:" in do("start")
        do("--create-topic", TOPIC)
        do("--authentication", "-a", "-u", "alice", "-p", "-", stdin="alices-password")
        do("--authorization", "-a", "-u", "alice", "-c", "alices-group", "-t", TOPIC)
        with (
            started_job("distribution_test", home=home) as console,
            started_job("distribution", home=home) as distribution,
        ):
            schema = home / "schemas" / "distribution_schema"
            console.until(f"waiting for {schema}, which the distribution writes with its first alerts")
            distribution.until(f"waiting for the folder {home}/science")
            objects = drop(science_files(tmp_path), home / "science")
            console.until(f"alert(s) of {TOPIC}", "objectId", *objects)
            assert json.loads(schema.read_text())["name"] == "alert"
            publish(local, "ZTF26other", ("schema_fingerprint", "0123456789abcdef"))
            console.until("1 of them have the schema 0123456789abcdef and not that of")
            assert "ZTF26other" not in console.out
            recounted = fink("verify", FINK_HOME=str(home), COLUMNS="200")
            healthy = fink("doctor", "--only", "kafka", "-o", "json", FINK_HOME=str(home))
            assert (console.end(signal.SIGINT), distribution.end(signal.SIGTERM)) == (0, 0)
            texts += [console.out, console.log, distribution.out, distribution.log, recounted.out, recounted.err]
    assert recounted.status == 1, recounted.out + recounted.err
    assert [line.split()[:3] for line in recounted.out.splitlines() if line.startswith("unexpected")] == [
        ["unexpected", TOPIC, "(no"]
    ], "it is the only one that is not as it should be"
    assert healthy.status == 0, healthy.out
    assert {each["what"] for each in json.loads(healthy.out)} >= {
        "administrator",
        "producer's rights",
        "consumer's rights",
    }
    listings = local.tools().listings()
    assert listings.keys() == {"alice", "fink-consumer", "fink-producer"}
    assert {user: acls(local, user) for user in listings} == listings
    processes = local.processes()
    assert "Kafka stopped." in do("stop")
    assert all(map(is_gone, processes))
    seen = [*watcher.seen, *texts]
    assert any("distribution_job.topic_console" in text for text in seen), "it was looked at while they ran"
    for password in [*local.passwords, "alices-password"]:
        assert not [text for text in seen if password in text]


@pytest.fixture
def running(local: Local) -> Local:
    """The same Kafka, started again, with the topic; its alerts and their schema are what the walkthrough, the first test, has left."""
    local.do("start")
    local.do("--create-topic", TOPIC)
    return local


def test_the_alerts_are_announced_in_slack(running: Local) -> None:
    file, numbers = running.home / "fink.conf", itertools.count()
    with slack_server() as slack, Watcher() as watcher:
        slack.channel("rrlyr")
        text = file.read_text()
        file.write_text(f"{text}SLACK_API_TOKEN={TOKEN}\nSLACK_API_URL={slack.url}\nSLACK_DIGEST_SECONDS=0\n")
        with started_job("slack", home=running.home) as notifier:

            def announced() -> bool:
                # The group is new and begins with what comes; an object that was there before has been announced for it.
                publish(running, f"ZTF26{next(numbers)}", ("_format", "json"))
                return bool(slack.texts("#rrlyr"))

            wait_for(announced, 60, "Slack is told of the alert")
            assert notifier.end(signal.SIGTERM) == 0
            said = notifier.out + notifier.log
        file.write_text(text)
    assert "ZTF26" in str(slack.messages[0].blocks)
    assert not [seen for seen in (*watcher.seen, said) if TOKEN in seen]


def test_a_column_that_alerts_do_not_have_is_named(running: Local) -> None:
    columns = "objectId,candidate.magnitude"
    with started_job("distribution_test", "--columns", columns, home=running.home) as console:
        assert console.ended() == 2
        assert "--columns: the alerts have no candidate.magnitude. They have: " in console.log


def test_a_topic_and_the_right_to_read_it_are_waited_for(running: Local) -> None:
    file = running.home / "later.conf"
    text = (running.home / "fink.conf").read_text()
    file.write_text(text.replace(f"DISTRIBUTION_TOPIC={TOPIC}", "DISTRIBUTION_TOPIC=later"))
    consumer, group = running.configuration.consumer.user, running.configuration.group
    grant = ("--authorization", "-a", "-u", consumer, "-c", group, "-t", "later")
    options = ("-c", str(file), "--columns", "objectId,candidate.magpsf")
    with started_job("distribution_test", *options, home=running.home) as console:
        console.until(f"waiting for the right to read later: fink_kafka {' '.join(grant)}")
        running.do(*grant)
        console.until("waiting for the topic later, which does not exist: fink_kafka --create-topic later")
        running.do("--create-topic", "later")
        alert = next(each for each in everything(running.settings("admin"), [TOPIC]) if len(each.key) > 1)
        producer = Producer(running.settings("admin"))
        producer.produce("later", alert.value, alert.key, headers=list(alert.headers.items()))
        assert producer.flush(15) == 0
        console.until("1 alert(s) of later, 1 so far", "candidate.magpsf", f"\n{alert.alert['objectId']}  ")
        assert console.end(signal.SIGTERM) == 0


def test_the_doctor_names_a_right_that_is_gone(running: Local) -> None:
    consumer = running.configuration.consumer.user
    running.do("--authorization", "-d", "-u", consumer, "-c", running.configuration.group, "-t", TOPIC)
    done = fink("doctor", "--only", "kafka", "-o", "json", FINK_HOME=str(running.home))
    found = {each["what"]: each for each in json.loads(done.out)}
    assert (done.status, found["consumer's rights"]["state"], found["producer's rights"]["state"]) == (
        1,
        "not ok",
        "ok",
    )
    file = running.client_file("consumer")
    named = fink("doctor", "--only", "kafka", "-o", "json", config=file)
    rights = {each["what"]: each for each in json.loads(named.out)}["administrator's rights"]
    assert (named.status, rights["found"]) == (1, "it may not Alter, Create, Describe")
    file.write_text(file.read_text().replace(running.configuration.consumer.password, "another-password"))
    refused = fink("doctor", "--only", "kafka", config=file)
    assert (refused.status, "refused the login of fink-consumer" in refused.out) == (1, True)
