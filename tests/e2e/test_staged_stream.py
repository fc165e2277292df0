"""A stream whose source is a topic, on the real node: its executors write and read what is staged on the checkpoint's volume."""

from __future__ import annotations

import io
import json

import fastavro
from confluent_kafka import Producer

from e2e.stage import Stage

SCHEMA = {"type": "record", "name": "alert", "fields": [{"name": "candid", "type": "long"}]}


def test_what_lies_in_a_topic_is_distributed_to_another(stage: Stage) -> None:
    scene, source = stage.scene, stage.scene.name("raw")
    scene.declare("AlertTopic", "raw", {"topicName": source, "partitions": 2})
    scene.ready("alerttopic", "raw", "Reconciled")
    producer = Producer(dict(scene.admin_config))
    for candid in range(20):
        value = io.BytesIO()
        fastavro.schemaless_writer(value, SCHEMA, {"candid": candid})
        producer.produce(source, value.getvalue(), json.dumps(SCHEMA).encode(), partition=candid % 2)
    assert producer.flush(30) == 0
    stage.play(
        "copy",
        [{"name": "even", "filter": {"sql": "candid % 2 = 0"}}],
        source={"type": "kafka", "kafka": {"topicRef": {"name": "raw"}}},
        executors={"instances": 1, "cpu": "250m"},
    )
    scene.ready("distributionstream", "copy", "Running", timeout=240)
    secret = stage.reader("reader-of-copy", [stage.topic("copy", "even")])
    found = stage.received(secret, stage.topic("copy", "even"), 10, timeout=240)
    assert sorted(message.alert["candid"] for message in found) == list(range(0, 20, 2))
    assert f"READ TOPIC LITERAL {source} *" in scene.acls(f"{scene.namespace}.copy-stream")
    scene.delete("distributionstream", "copy", timeout="180s")
