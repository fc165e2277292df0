"""The objects that run a stream's Slack notifier, and the document that it reads."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from stream_specs import AROUND, SPEC

from fink_distribution.resources.distribution_stream import DistributionStream
from fink_distribution.resources.kafka_connection import KafkaConnection, TlsSettings
from fink_distribution.streams import layout
from fink_distribution.streams.job_config import Surroundings
from fink_distribution.streams.notifier_objects import notifier_children, notifier_workload
from slack_notifier import config

REPOSITORY = Path(__file__).parents[3]
SCHEMA = json.loads((REPOSITORY / "schemas" / "slack-notifier.schema.json").read_text())
SLACK: dict[str, Any] = {"tokenSecretRef": {"name": "slack"}, "routes": [{"to": "#alerts"}]}


def body(**slack: Any) -> dict[str, Any]:
    metadata = {"namespace": "ns", "name": "ztf", "uid": "u-1"}
    spec = {**SPEC, "suspend": slack.pop("suspend", False), "slack": {**SLACK, **slack}}
    return {"apiVersion": "g/v1", "kind": "DistributionStream", "metadata": metadata, "spec": spec}


def made(around: Surroundings = AROUND, url: str = "", **slack: Any) -> dict[str, dict[str, Any]]:
    owner = body(**slack)
    stream = DistributionStream.of(owner)
    assert stream.slack is not None
    objects = notifier_workload(owner, stream, stream.slack, around, url)
    return {each["kind"]: each for each in [*notifier_children(owner, stream), *objects]}


def document(**given: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(made(**given)["ConfigMap"]["data"]["slack.json"])
    jsonschema.validate(found, SCHEMA)
    config.parse(found)
    return found


def pod(**given: Any) -> dict[str, Any]:
    found: dict[str, Any] = made(**given)["Deployment"]["spec"]["template"]["spec"]
    return found


def test_the_smallest_reads_all_outputs_and_leaves_the_rest_to_the_notifier() -> None:
    assert document() == {
        "version": 1,
        "slack": {"tokenFile": "/etc/fink/slack/token"},
        "kafka": {
            "bootstrapServers": "kafka:9092",
            "securityProtocol": "SASL_PLAINTEXT",
            "saslMechanism": "SCRAM-SHA-512",
            "credentialsDirectory": "/etc/fink/kafka",
        },
        "group": "ns.ztf-slack",
        "metrics": {"port": 9090},
        "routes": [{"topics": ["fink_all", "fink_sn", "fink_sso"], "to": "#alerts"}],
    }


def test_everything_reaches_the_notifier_under_its_own_name() -> None:
    said = {
        "digest": {"intervalSeconds": 600, "maxAlerts": 7},
        "repeats": "Show",
        "nightBeginsAtHour": 12,
        "portal": "https://lsst.fink-portal.org/",
        "startingFrom": "Earliest",
        "fields": {"objectId": ["id"], "class": ["kind"]},
    }
    route = {"classes": ["SN"], "toChannelOfClass": {"channels": ["#sn"]}, "intervalSeconds": 0, "threads": True}
    found = document(**said, routes=[{"outputs": ["sn"], **route}], url="https://slack-gov.com/api/")
    assert {name: found[name] for name in said} == said
    assert found["routes"] == [{"topics": ["fink_sn"], **route}]
    assert found["slack"]["url"] == "https://slack-gov.com/api/"


@pytest.mark.parametrize(
    ("operator", "given", "value"),
    [
        ("<", {"number": "18.5"}, 18.5),
        (">=", {"number": "-3"}, -3),
        ("=", {"number": "170055002004914266"}, 170055002004914266),
        ("=", {"text": "18"}, "18"),
        ("=", {"boolean": False}, False),
        ("in", {"numbers": ["1", "2.5"]}, [1, 2.5]),
        ("not in", {"texts": ["SN", "EB*"]}, ["SN", "EB*"]),
    ],
)
def test_a_condition_s_value_has_the_type_that_is_said(operator: str, given: dict[str, Any], value: Any) -> None:
    (route,) = document(routes=[{"to": "Bob", "where": [{"field": "a.b", "operator": operator, **given}]}])["routes"]
    (condition,) = route["where"]
    assert condition == {"field": "a.b", "operator": operator, "value": value}
    assert type(condition["value"]) is type(value)


def test_the_example_makes_a_good_document_and_is_what_the_page_shows() -> None:
    (example,) = (
        each
        for each in yaml.safe_load_all((REPOSITORY / "examples" / "slack" / "stream.yaml").read_text())
        if each["kind"] == "DistributionStream"
    )
    assert len(document(**example["spec"]["slack"])["routes"]) == 2
    (shown,) = re.findall(
        r"```yaml\n(kind: DistributionStream.*?)```", (REPOSITORY / "docs" / "slack.md").read_text(), re.DOTALL
    )
    assert yaml.safe_load(shown)["spec"]["slack"] == example["spec"]["slack"]


def test_all_is_owned_by_the_stream_and_of_one_name() -> None:
    objects = made()
    assert set(objects) == {"KafkaUser", "KafkaAcl", "ConfigMap", "Deployment"}
    assert {each["metadata"]["name"] for each in objects.values()} == {"ztf-slack"}
    assert {each["metadata"]["ownerReferences"][0]["uid"] for each in objects.values()} == {"u-1"}
    assert {each["metadata"]["labels"][layout.STREAM_LABEL] for each in objects.values()} == {"ztf"}
    deployment = objects["Deployment"]["spec"]
    assert deployment["selector"]["matchLabels"] == deployment["template"]["metadata"]["labels"]
    assert deployment["strategy"] == {"type": "Recreate"}


def test_its_user_may_read_what_it_announces_with_one_group_and_no_more() -> None:
    objects = made(routes=[{"outputs": ["sso", "sn"], "to": "#a"}, {"outputs": ["sn"], "to": "#b"}])
    assert objects["KafkaUser"]["spec"]["userName"] == "ns.ztf-slack"
    assert objects["KafkaAcl"]["spec"] == {
        "userRef": {"name": "ztf-slack"},
        "consumer": {
            "topics": [{"topicRef": {"name": "sn"}}, {"topicRef": {"name": "sso"}}],
            "group": {"name": "ns.ztf-slack"},
        },
    }


def test_the_pod_obeys_the_restricted_standard_and_has_secrets_in_files_only() -> None:
    found = pod(tokenSecretRef={"name": "workspace", "key": "SLACK_API_TOKEN"})
    assert found["automountServiceAccountToken"] is False
    assert found["securityContext"]["runAsNonRoot"] is True
    assert found["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    (container,) = found["containers"]
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert "env" not in container
    volumes = {volume["name"]: volume for volume in found["volumes"]}
    assert volumes["slack"]["secret"]["secretName"] == "workspace"
    assert volumes["slack"]["secret"]["items"] == [{"key": "SLACK_API_TOKEN", "path": "token"}]
    assert volumes["kafka"]["secret"]["secretName"] == "ztf-slack"
    assert {mount["name"] for mount in container["volumeMounts"]} == set(volumes)


def test_what_it_is_told_is_where_it_looks_and_what_is_probed_is_where_it_answers() -> None:
    (container,) = pod()["containers"]
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    found = document()
    assert container["args"][-1] == f"{mounts['config']}/slack.json"
    assert found["slack"]["tokenFile"] == f"{mounts['slack']}/token"
    assert found["kafka"]["credentialsDirectory"] == mounts["kafka"]
    (port,) = container["ports"]
    assert port["containerPort"] == found["metrics"]["port"]
    for probe in ("readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["port"] == port["name"]


def test_size_and_suspension() -> None:
    (container,) = pod(resources={"cpu": "1", "memory": "1Gi"})["containers"]
    assert container["resources"] == {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}
    assert container["image"] == "job:1"
    assert made()["Deployment"]["spec"]["replicas"] == 1
    assert made(suspend=True)["Deployment"]["spec"]["replicas"] == 0


def test_a_change_of_the_document_makes_another_pod_and_suspension_does_not() -> None:
    def template(**given: Any) -> Any:
        return made(**given)["Deployment"]["spec"]["template"]

    assert template() == template()
    assert template(repeats="Show") != template()
    assert template(suspend=True) == template()


def test_over_tls_the_pod_has_the_authority_and_uses_it() -> None:
    tls = TlsSettings(("Secret", "kafka-ca", "ca.crt"), None, verify_hostname=True)
    around = replace(AROUND, connection=KafkaConnection("default", "kafka:9092", "outside:9094", None, tls, None))
    assert document(around=around)["kafka"]["caFile"] == "/etc/fink/kafka/ca.crt"
    volumes = {volume["name"]: volume for volume in pod(around=around)["volumes"]}
    assert {"key": "ca.crt", "path": "ca.crt"} in volumes["kafka"]["secret"]["items"]
