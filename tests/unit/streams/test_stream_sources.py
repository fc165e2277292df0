"""What a stream's source makes of its configuration, its pods and its rights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from fink_distribution.resources.distribution_stream import DistributionStream
from fink_distribution.resources.kafka_connection import KafkaConnection
from fink_distribution.resources.keys import Key, Kind
from fink_distribution.resources.references import references
from fink_distribution.streams import layout
from fink_distribution.streams.job_config import Surroundings, job_config
from fink_distribution.streams.objects import children, workload

SCHEMA = json.loads((Path(__file__).parents[3] / "schemas" / "stream-job.schema.json").read_text())
RAW = Key(Kind.ALERT_TOPIC, "ns", "raw")
AROUND = Surroundings(
    connection=KafkaConnection("default", "kafka:9092", "kafka:9092", None, None, None),
    mechanism="SCRAM-SHA-512",
    topics={Key(Kind.ALERT_TOPIC, "ns", "all"): "fink_all", RAW: "fink_raw"},
    image="job:1",
    image_pull_policy="IfNotPresent",
)
JDBC: dict[str, Any] = {
    "url": "jdbc:postgresql://db/fink",
    "table": "alerts",
    "cursorColumn": "updated",
    "keyColumns": ["candid"],
    "lateWithin": 60,
    "maxRowsPerBatch": 1000,
    "idColumn": "candid",
    "credentialsSecretRef": {"name": "login"},
    "caConfigMapRef": {"name": "trust"},
}


def body(source: dict[str, Any]) -> dict[str, Any]:
    spec = {
        "source": source,
        "checkpoint": {"claimName": "checkpoint", "path": "kept/ztf"},
        "outputs": [{"name": "all", "topicRef": {"name": "all"}}],
    }
    metadata = {"namespace": "ns", "name": "ztf", "uid": "u-1"}
    return {
        "apiVersion": "distribution.fink-broker.org/v1alpha1",
        "kind": "DistributionStream",
        "metadata": metadata,
        "spec": spec,
    }


def config(source: dict[str, Any]) -> dict[str, Any]:
    found = job_config(DistributionStream.of(body(source)), AROUND)
    jsonschema.validate(found, SCHEMA)
    part: dict[str, Any] = found["source"]
    return part


def pods(source: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The driver's and the executors' pod."""
    owner = body(source)
    made = {each["kind"]: each for each in workload(owner, DistributionStream.of(owner), AROUND)}
    executor = yaml.safe_load(made["ConfigMap"]["data"][layout.EXECUTOR_TEMPLATE])["spec"]
    return made["StatefulSet"]["spec"]["template"]["spec"], executor


def mounts(pod: dict[str, Any]) -> dict[str, dict[str, Any]]:
    assert {each["name"] for each in pod["containers"][0]["volumeMounts"]} == {each["name"] for each in pod["volumes"]}
    return {each["mountPath"]: each for each in pod["containers"][0]["volumeMounts"]}


def test_a_table_is_where_its_writers_have_it() -> None:
    delta = {"type": "delta", "startingFrom": "Latest", "delta": {"claimName": "science", "path": "db/alerts"}}
    assert config(delta) == {"type": "delta", "startingFrom": "Latest", "delta": {"path": "/science/db/alerts"}}
    iceberg = {"claimName": "science", "path": "db/alerts", "mountPath": "/data", "skipChanges": True}
    source = {"type": "iceberg", "iceberg": iceberg}
    assert config(source)["iceberg"] == {"path": "/data/db/alerts", "skipChanges": True}
    for pod in pods(source):
        assert mounts(pod)["/data"] == {"name": "science", "mountPath": "/data", "readOnly": True}


def test_executors_have_of_the_checkpoint_what_is_staged_alone() -> None:
    _, executor = pods({"type": "jdbc", "jdbc": JDBC})
    staging = "/checkpoint/kept/ztf/staging"
    assert mounts(executor)[staging] == {"name": "checkpoint", "mountPath": staging, "subPath": "kept/ztf/staging"}
    assert "/checkpoint" not in mounts(executor)
    _, without = pods({"parquet": {"claimName": "science"}})
    assert not any(place.startswith("/checkpoint") for place in mounts(without))


def test_the_databases_login_is_the_drivers_alone_and_a_file() -> None:
    found = config({"type": "jdbc", "jdbc": JDBC})
    assert found["idColumn"] == "candid"
    told = {
        name: value
        for name, value in JDBC.items()
        if name not in ("idColumn", "credentialsSecretRef", "caConfigMapRef")
    }
    files = {"credentialsDirectory": "/etc/fink/database", "caFile": "/etc/fink/database/ca.crt"}
    assert found["jdbc"] == {**told, **files}
    driver, executor = pods({"type": "jdbc", "jdbc": JDBC})
    (volume,) = [each for each in driver["volumes"] if each["name"] == "database"]
    assert volume["projected"]["sources"][0]["secret"]["name"] == "login"
    assert volume["projected"]["sources"][1]["configMap"]["name"] == "trust"
    assert mounts(driver)["/etc/fink/database"]["readOnly"]
    assert "/etc/fink/database" not in mounts(executor)
    assert "/science" not in mounts(driver)


def test_the_streams_user_may_read_the_topic_and_its_change_wakes_the_stream() -> None:
    owner = body({"type": "kafka", "kafka": {"topicRef": {"name": "raw"}, "maxRowsPerBatch": 5}})
    assert config(owner["spec"]["source"])["kafka"] == {"topic": "fink_raw", "maxRowsPerBatch": 5}
    rules = {rule["name"]: rule for rule in children(owner, DistributionStream.of(owner))[1]["spec"]["rules"]}
    assert rules["source"]["resource"] == {"type": "Topic", "topicRef": {"name": "raw"}}
    assert rules["source"]["operations"] == ["Read", "Describe"]
    assert RAW in references(owner, "fink")
    assert RAW not in references(body({"parquet": {"claimName": "science"}}), "fink")
