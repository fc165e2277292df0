"""Confluent's format, with a real registry, read by Confluent's own deserializer, and written by its serializer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from confluent_kafka import Producer
from confluent_kafka.admin import AclOperation
from confluent_kafka.schema_registry import Schema, SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from job_process import JobProcess
from job_stream import Stream
from received import Message, everything, ids

from demo import science_alerts
from fink_command import fink
from testbed.environment import Environment
from testbed.schema_registry import SchemaRegistry

COLUMNS = ["objectId", "candid", "candidate"]


FIRST: dict[str, Any] = {"type": "record", "name": "alert", "fields": [{"name": "candid", "type": "long"}]}
SECOND = {**FIRST, "fields": [*FIRST["fields"], {"name": "drb", "type": ["null", "double"], "default": None}]}


def candids(messages: list[Message]) -> list[int]:
    return sorted(int(message.key) for message in messages)


def test_alerts_wait_for_the_registry_and_its_clients_read_them(
    stream: Stream, job: JobProcess, schema_registry: SchemaRegistry, testbed: Environment, tmp_path: Path
) -> None:
    topics = {name: stream.topic(name) for name in ("one", "two", "plain")}
    two: dict[str, Any] = {"name": "two", "topic": topics["two"], "select": COLUMNS, "format": "Confluent"}
    job.document["registry"] = {"url": schema_registry.url, "caFile": str(schema_registry.ca_file)}
    job.document["outputs"] = [
        {**two, "name": "one", "topic": topics["one"]},
        two,
        {"name": "plain", "topic": topics["plain"], "select": ["candid"]},
    ]
    job.document["delivery"] = stream.allow_transactions(*topics)
    alerts = science_alerts.generate(60, seed=13)
    expected = {alert["candid"]: alert for alert in alerts.select(COLUMNS).to_pylist()}
    files = job.drop(alerts, files=2)
    job.start()
    for name in ("one", "two"):
        job.until(lambda n=name: job.output(n).get("reason") == "RegistryUnavailable", f"{name} misses the registry")
        assert schema_registry.url in job.output(name)["error"]
        assert job.output(name)["pendingFiles"] == len(files)
    assert ids(stream.login, topics["plain"]) == sorted(expected)

    schema_registry.start()
    for name in ("one", "two"):
        job.until(lambda n=name: job.output(n)["pendingFiles"] == 0, f"{name} catches up")
        assert "reason" not in job.output(name)
        client = SchemaRegistryClient({"url": schema_registry.url, "ssl.ca.location": str(schema_registry.ca_file)})
        deserialize = AvroDeserializer(client)
        messages = everything(stream.login, [topics[name]])
        assert candids(messages) == sorted(expected)
        for message in messages:
            alert = deserialize(message.value, SerializationContext(message.topic, MessageField.VALUE))
            wanted = expected[int(message.key)]
            assert (alert["candid"], alert["objectId"]) == (wanted["candid"], wanted["objectId"])
            assert alert["candidate"]["jd"] == wanted["candidate"]["jd"]
            assert message.headers["schema_name"] == "fink.alert"
        assert client.get_latest_version(f"{topics[name]}-value").schema_id == int.from_bytes(messages[0].value[1:5])

    reach = tmp_path / "reader.properties"
    reach.write_text(
        f"{testbed.kafka_admin_config.read_text()}schema.registry.ssl.ca.location={schema_registry.ca_file}\n"
    )
    shown = fink("schema", "show", topics["one"], "--schema-registry", schema_registry.url, config=reach)
    assert shown.status == 0, shown.err
    assert [field["name"] for field in json.loads(shown.out)["fields"]] == COLUMNS
    assert "--schema-registry URL" in fink("schema", "show", topics["one"], config=reach).err

    # Its own rules count as well, and one output's refusal is not another's.
    schema_registry.demand(f"{topics['two']}-value", "BACKWARD")
    job.stop()
    two |= {"rename": {"candid": "objectId", "objectId": "candid"}, "compatibility": "None"}
    job.start()
    more = science_alerts.generate(20, seed=13, first_id=60)
    job.drop(more, files=1)
    job.until(lambda: job.output("two").get("reason"), "the registry refuses the schema")
    assert job.output("two")["reason"] == "SchemaIncompatible"
    assert f"{topics['two']}-value" in job.output("two")["error"]
    job.until_read(20)

    # What has its id goes on when the registry is away.
    schema_registry.stop()
    last = science_alerts.generate(20, seed=13, first_id=80)
    job.drop(last, files=1)
    job.until_read(40)
    job.stop()
    later = [candid for table in (more, last) for candid in table.column("candid").to_pylist()]
    assert candids(everything(stream.login, [topics["one"]])) == sorted([*expected, *later])
    assert candids(everything(stream.login, [topics["two"]])) == sorted(expected)


def test_a_topic_of_confluents_own_serializer_is_a_source(
    stream: Stream, job: JobProcess, schema_registry: SchemaRegistry
) -> None:
    source, topic = stream.topic("in", writable=False), stream.topic("out")
    stream.allow("in", AclOperation.READ)
    schema_registry.start()
    registry = {"url": schema_registry.url, "ssl.ca.location": str(schema_registry.ca_file)}
    place = SerializationContext(source, MessageField.VALUE)

    def produce(schema: dict[str, Any], numbers: range) -> None:
        serialize, producer = AvroSerializer(SchemaRegistryClient(registry), json.dumps(schema)), Producer(stream.login)
        for number in numbers:
            producer.produce(source, serialize({"candid": number, "drb": 0.5}, place))
        assert producer.flush(30) == 0

    produce(FIRST, range(30))
    produce(SECOND, range(30, 50))
    stray = Producer(stream.login)
    stray.produce(source, b"\0" + (2**31 - 1).to_bytes(4) + b"\2")  # of a schema that the registry does not have
    assert stray.flush(30) == 0
    schema_registry.stop()
    job.document["registry"] = {"url": schema_registry.url, "caFile": str(schema_registry.ca_file)}
    job.document["source"] = {"type": "kafka", "kafka": {"topic": source, "format": "Confluent"}}
    job.document["outputs"] = [{"name": "out", "topic": topic}]
    job.document["delivery"] = stream.allow_transactions("out")
    job.start()
    job.until(lambda: "lastError" in job.progress(), "it misses the registry")
    assert (job.progress()["lastErrorReason"], schema_registry.url in job.progress()["lastError"]) == (
        "RegistryUnavailable",
        True,
    )
    schema_registry.start()  # it has forgotten its schemas, and is told again
    for schema in (FIRST, SECOND):
        SchemaRegistryClient(registry).register_schema(f"{source}-value", Schema(json.dumps(schema), "AVRO"))
    job.until(lambda: len(ids(stream.login, topic)) >= 50, "all are distributed")
    job.until(lambda: "lastError" not in job.progress(), "nothing is amiss")
    produce(SECOND, range(50, 60))
    job.until(lambda: len(ids(stream.login, topic)) >= 60, "what came later is distributed")
    job.stop()
    found = {message.alert["candid"]: message.alert.get("drb") for message in everything(stream.login, [topic])}
    assert found == {number: None if number < 30 else 0.5 for number in range(60)}
    assert ids(stream.login, topic) == list(range(60))
    [note] = [note["message"] for note in job.progress()["notes"] if "left out" in note["message"]]
    assert note.startswith(f"1 messages of the topic {source} are left out: their schema is none that can be read")
