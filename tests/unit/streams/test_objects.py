"""The objects that run a stream."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from stream_specs import AROUND, SPEC

from fink_distribution.resources.distribution_stream import DistributionStream, Pods
from fink_distribution.resources.kafka_connection import KafkaConnection, TlsSettings
from fink_distribution.streams import layout
from fink_distribution.streams.job_config import driver_heap, executor_memory, job_config
from fink_distribution.streams.manifest import is_applied
from fink_distribution.streams.objects import children, template_hash, workload

SCHEMA = Path(__file__).parents[3] / "schemas" / "stream-job.schema.json"


def body(**more: Any) -> dict[str, Any]:
    metadata = {"namespace": "ns", "name": "ztf", "uid": "u-1"}
    return {"apiVersion": "g/v1", "kind": "DistributionStream", "metadata": metadata, "spec": {**SPEC, **more}}


def made(**more: Any) -> dict[str, dict[str, Any]]:
    owner = body(**more)
    return {each["kind"]: each for each in workload(owner, DistributionStream.of(owner), AROUND)}


@pytest.mark.parametrize("more", [{}, {"executors": {"instances": 0}}, {"run": {"intervalSeconds": 0}}])
def test_the_job_accepts_the_configuration(more: dict[str, Any]) -> None:
    config = job_config(DistributionStream.of(body(**more)), AROUND)
    jsonschema.validate(config, json.loads(SCHEMA.read_text()))
    assert config["source"]["path"] == "/science/ztf"
    assert config["checkpoint"]["path"] == "/checkpoint/ztf"
    assert [output["topic"] for output in config["outputs"]] == ["fink_all", "fink_sn", "fink_sso"]
    assert "startingFrom" not in config["source"]
    assert config["metrics"] == {"port": 9090}
    assert config["outputs"][0]["rename"] == {"ra": "candidate_ra"}
    assert config["outputs"][1]["filter"] == {"sql": "snn_sn_vs_all > 0.5"}
    assert [output.get("format") for output in config["outputs"]] == [None, None, "Json"]
    assert [output.get("compatibility") for output in config["outputs"]] == [None, None, "None"]


def test_limits_reach_the_job() -> None:
    limited = {"topicRef": {"name": "all"}, "name": "all", "maxAlertsPerBatch": 10, "maxBytesPerNight": 1000}
    slow = {"topicRef": {"name": "sn"}, "name": "sn", "filter": {"python": "a.b", "timeoutSeconds": 600}}
    config = job_config(DistributionStream.of(body(outputs=[limited, slow], nightBeginsAtHour=3)), AROUND)
    jsonschema.validate(config, json.loads(SCHEMA.read_text()))
    assert config["nightBeginsAtHour"] == 3
    assert config["outputs"][0].items() >= {"maxAlertsPerBatch": 10, "maxBytesPerNight": 1000}.items()
    assert config["outputs"][1]["filter"] == slow["filter"]
    # Where no output has a limit a night, no driver is started anew for the hour.
    assert "nightBeginsAtHour" not in job_config(DistributionStream.of(body(nightBeginsAtHour=3)), AROUND)


def test_all_is_owned_by_the_stream_and_named_after_it() -> None:
    owner = body()
    objects = [*children(owner, DistributionStream.of(owner)), *made().values()]
    assert {each["metadata"]["ownerReferences"][0]["uid"] for each in objects} == {"u-1"}
    assert {each["metadata"]["labels"][layout.STREAM_LABEL] for each in objects} == {"ztf"}


def rights(**more: Any) -> dict[tuple[str, str], list[str]]:
    """By the resource's type and name, what the stream's user may do."""
    owner = body(**more)
    rules = children(owner, DistributionStream.of(owner))[1]["spec"]["rules"]
    assert len({rule["name"] for rule in rules}) == len(rules)
    return {
        (rule["resource"]["type"], rule["resource"].get("name") or rule["resource"]["topicRef"]["name"]): rule[
            "operations"
        ]
        for rule in rules
    }


def test_the_streams_user_may_write_describe_and_verify_and_no_more() -> None:
    may = ["Write", "Describe", "DescribeConfigs", "Read"]
    assert rights(delivery="AtLeastOnce") == {("Topic", name): may for name in ("all", "sn", "sso")}
    assert "transactionalId" not in job_config(DistributionStream.of(body(delivery="AtLeastOnce")), AROUND)["delivery"]


def test_for_transactions_it_may_use_its_own_id_and_leave_marks() -> None:
    assert rights() == {
        **{("Topic", name): ["Write", "Describe", "DescribeConfigs", "Read"] for name in ("all", "sn", "sso")},
        ("TransactionalId", "ns.ztf-stream"): ["Write", "Describe"],
        ("Group", "ns.ztf-stream"): ["Read"],
    }
    config = job_config(DistributionStream.of(body()), AROUND)
    assert config["delivery"] == {"guarantee": "ExactlyOnce", "transactionalId": "ns.ztf-stream"}


def test_pods_obey_the_restricted_standard_and_hold_no_secret_in_the_environment() -> None:
    objects = made()
    driver = objects["StatefulSet"]["spec"]["template"]["spec"]
    executor = yaml.safe_load(objects["ConfigMap"]["data"][layout.EXECUTOR_TEMPLATE])["spec"]
    for pod in (driver, executor):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = pod["containers"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert not any("secretKeyRef" in json.dumps(variable) for variable in container.get("env", []))
    assert executor["automountServiceAccountToken"] is False


def test_the_driver_names_the_port_that_it_is_told_to_open() -> None:
    objects = made()
    (driver,) = objects["StatefulSet"]["spec"]["template"]["spec"]["containers"]
    told = json.loads(objects["ConfigMap"]["data"]["job.json"])["metrics"]["port"]
    assert driver["ports"] == [{"name": "metrics", "containerPort": told}]
    (executor,) = yaml.safe_load(objects["ConfigMap"]["data"][layout.EXECUTOR_TEMPLATE])["spec"]["containers"]
    assert "ports" not in executor


def test_the_role_has_no_secrets_and_no_exec() -> None:
    rules = made()["Role"]["rules"]
    resources = {resource for rule in rules for resource in rule["resources"]}
    assert not resources & {"secrets", "pods/exec", "*"}
    (status,) = [rule for rule in rules if rule["resources"] == ["distributionstreams/status"]]
    assert status["resourceNames"] == ["ztf"]


def test_a_change_of_the_configuration_changes_the_pods_hash_and_nothing_else_does() -> None:
    same, other = made(), made(run={"intervalSeconds": 9})
    assert template_hash(made()["StatefulSet"]) == template_hash(same["StatefulSet"])
    assert template_hash(other["StatefulSet"]) != template_hash(same["StatefulSet"])
    assert made(suspend=True)["StatefulSet"]["spec"]["replicas"] == 0
    assert template_hash(made(suspend=True)["StatefulSet"]) == template_hash(same["StatefulSet"])


def test_memory_is_shared_out() -> None:
    assert driver_heap(Pods("1", "2Gi")) == 1024
    heap, overhead = executor_memory(Pods("1", "2Gi"))
    assert heap + overhead == 2048
    assert overhead >= 384
    assert executor_memory(Pods("1", "1Gi")) == (640, 384)


@pytest.mark.parametrize(
    ("live", "manifest", "same"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        ({}, {"a": {}}, False),
        ({"a": [{"x": 1, "y": 2}]}, {"a": [{"x": 1}]}, True),
        ({"a": [1, 2]}, {"a": [1]}, False),
    ],
)
def test_is_applied(live: Any, manifest: Any, same: bool) -> None:
    assert is_applied(live, manifest) is same


def test_over_tls_the_pods_have_the_authority_and_use_it() -> None:
    owner = body()
    tls = TlsSettings(("Secret", "kafka-ca", "ca.crt"), None, verify_hostname=False)
    connection = KafkaConnection("default", "kafka:9092", "outside:9094", None, tls, None)
    objects = {
        each["kind"]: each
        for each in workload(owner, DistributionStream.of(owner), replace(AROUND, connection=connection))
    }
    config = json.loads(objects["ConfigMap"]["data"]["job.json"])
    assert config["kafka"] == {
        "bootstrapServers": "outside:9094",
        "securityProtocol": "SASL_SSL",
        "saslMechanism": "SCRAM-SHA-512",
        "credentialsDirectory": "/etc/fink/kafka",
        "caFile": "/etc/fink/kafka/ca.crt",
        "verifyHostname": False,
    }
    jsonschema.validate(config, json.loads(SCHEMA.read_text()))
    executor = yaml.safe_load(objects["ConfigMap"]["data"]["executor-pod.yaml"])
    for pod in (objects["StatefulSet"]["spec"]["template"], executor):
        (secret,) = (each["secret"] for each in pod["spec"]["volumes"] if each["name"] == "kafka")
        assert {"key": "ca.crt", "path": "ca.crt"} in secret["items"]


@pytest.mark.parametrize(
    ("authority", "source"),
    [
        (
            {"caConfigMapRef": {"name": "trust"}},
            {"configMap": {"name": "trust", "items": [{"key": "ca.crt", "path": "ca.crt"}], "optional": True}},
        ),
        (
            {"caSecretRef": {"name": "tls", "key": "ca"}},
            {"secret": {"name": "tls", "items": [{"key": "ca", "path": "ca.crt"}], "optional": True}},
        ),
    ],
)
def test_the_driver_alone_can_reach_the_registry(authority: dict[str, Any], source: dict[str, Any]) -> None:
    objects = made(registry={"url": "https://registry:8081", "credentialsSecretRef": {"name": "login"}, **authority})
    config = json.loads(objects["ConfigMap"]["data"]["job.json"])
    assert config["registry"] == {
        "url": "https://registry:8081",
        "credentialsDirectory": "/etc/fink/registry",
        "caFile": "/etc/fink/registry/ca.crt",
    }
    jsonschema.validate(config, json.loads(SCHEMA.read_text()))
    pod = objects["StatefulSet"]["spec"]["template"]["spec"]
    [volume] = [volume for volume in pod["volumes"] if volume["name"] == "registry"]
    keys = [{"key": key, "path": key} for key in ("username", "password")]
    assert volume["projected"]["sources"] == [{"secret": {"name": "login", "items": keys, "optional": True}}, source]
    mount = {"name": "registry", "mountPath": "/etc/fink/registry", "readOnly": True}
    assert mount in pod["containers"][0]["volumeMounts"]
    assert "registry" not in objects["ConfigMap"]["data"][layout.EXECUTOR_TEMPLATE]


def test_a_registry_that_anybody_may_ask_needs_no_volume() -> None:
    objects = made(registry={"url": "http://registry:8081"})
    assert json.loads(objects["ConfigMap"]["data"]["job.json"])["registry"] == {"url": "http://registry:8081"}
    assert "registry" not in {
        volume["name"] for volume in objects["StatefulSet"]["spec"]["template"]["spec"]["volumes"]
    }
