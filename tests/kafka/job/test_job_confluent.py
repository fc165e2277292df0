"""Confluent's format, with a real registry, read by Confluent's own deserializer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import MessageField, SerializationContext
from job_process import JobProcess
from job_stream import Stream
from received import Message, everything, ids

from demo import science_alerts
from fink_command import fink
from testbed.environment import Environment
from testbed.schema_registry import SchemaRegistry

COLUMNS = ["objectId", "candid", "candidate"]


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
