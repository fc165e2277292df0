"""`fink schema show` against a real Kafka: which message it takes, and what it says when there is none."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import (
    AdminClient,
    NewTopic,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from fink_command import fink
from testbed.environment import Environment, properties


def schema(name: str) -> bytes:
    return json.dumps({"type": "record", "name": name, "fields": [{"name": "candid", "type": "long"}]}).encode()


@pytest.fixture
def topic(kafka_admin: AdminClient) -> str:
    name = f"schema-{secrets.token_hex(4)}"
    kafka_admin.create_topics([NewTopic(name, 2, 1)])[name].result(20)
    return name


def test_the_newest_alert_that_is_committed_counts(testbed: Environment, topic: str) -> None:
    login = dict(properties(testbed.kafka_admin_config))
    producer = Producer({**login, "transactional.id": topic})
    producer.init_transactions(30)
    # The newest is far from the end: behind it lie transactions that were undone, and their ends.
    for number, (name, partition, is_kept) in enumerate(
        [("older", 0, True), ("newest", 1, True), *[("undone", 1, False)] * 40]
    ):
        producer.begin_transaction()
        producer.produce(topic, b"\x02", schema(name), partition, timestamp=1_700_000_000_000 + number)
        producer.flush(30)
        if is_kept:
            producer.commit_transaction(30)
        else:
            producer.abort_transaction(30)
    done = fink("schema", "show", topic, config=testbed.kafka_admin_config)
    assert done.status == 0, done.err
    assert json.loads(done.out)["name"] == "newest"
    assert "SchemaInKey, CRC-64-AVRO " in done.err


def test_what_keeps_it_from_a_schema_is_said(
    testbed: Environment, kafka_admin: AdminClient, topic: str, tmp_path: Path
) -> None:
    done = fink("schema", "show", topic, config=testbed.kafka_admin_config)
    assert (done.status, done.out) == (1, "")
    assert f"The topic {topic} has no alert yet" in done.err
    done = fink("schema", "show", f"{topic}-lacking", config=testbed.kafka_admin_config)
    assert (done.status, done.out) == (1, "")
    assert f"there is no topic {topic}-lacking" in done.err

    scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    kafka_admin.alter_user_scram_credentials([UserScramCredentialUpsertion(topic, scram, b"word")])[topic].result(20)
    reach = tmp_path / "reader.properties"
    login = {**properties(testbed.kafka_admin_config), "sasl.username": topic}
    for password, said in (("word", f"Kafka does not allow {topic} this"), ("drow", f"refused the login of {topic}")):
        reach.write_text("".join(f"{key}={value}\n" for key, value in {**login, "sasl.password": password}.items()))
        done = fink("schema", "show", topic, "--timeout", "5", config=reach)
        assert (done.status, done.out) == (1, "")
        assert said in done.err
        assert password not in done.err
