"""`fink doctor`: what it makes of what is there, and how it ends."""

from __future__ import annotations

import copy
import json
import shlex
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from fink_distribution.cli.doctor import kubernetes, machine
from fink_distribution.cli.doctor.findings import Finding, State
from fink_distribution.cli.main import main
from fink_distribution.cluster.inspection import Inspection
from fink_distribution.local_kafka.configuration import generate
from fink_distribution.manifests.schemas import packaged
from fink_distribution.resources.keys import Kind


def run(home: Path, line: str, **environment: str) -> Result:
    variables = {"FINK_KAFKA_CONFIG": None, "FINK_HOME": str(home), "KUBECONFIG": str(home / "none"), **environment}
    return CliRunner(env=variables).invoke(main, ["doctor", *shlex.split(line)], prog_name="fink")


def listed(done: Result) -> dict[str, dict[str, str]]:
    return {each["what"]: each for each in json.loads(done.stdout)}


def test_what_is_not_set_up_is_no_illness_unless_it_is_asked_for(tmp_path: Path) -> None:
    done = run(tmp_path, "-o json")
    found = listed(done)
    assert done.exit_code == 0, done.output
    assert found["fink-distribution"]["state"] == found["java"]["state"] == "ok"
    assert (found["kafka"]["state"], found["kubernetes"]["state"]) == ("not set up", "not set up")
    assert "fink_kafka start" in found["kafka"]["mend"]
    for area in ("kafka", "kubernetes"):
        asked = run(tmp_path, f"--only {area}")
        assert (asked.exit_code, "1 to be mended." in asked.output) == (1, True)
        assert "not set up" in asked.output
        assert "python" not in asked.output


def test_what_is_found_is_data_too(tmp_path: Path) -> None:
    done = run(tmp_path, "--only java -o yaml", JAVA_HOME="/none")
    (java,) = yaml.safe_load(done.stdout)
    assert (done.exit_code, java["state"]) == (1, "not ok")
    assert java["found"] == "Java is missing: /none/bin/java: No such file or directory"
    assert java["mend"].startswith("Install Java 17 or newer")


def test_a_wrong_option_is_told_from_an_illness(tmp_path: Path) -> None:
    assert run(tmp_path, "--only ruby").exit_code == 2


def test_a_wrong_configuration_is_said_without_asking_anybody(tmp_path: Path) -> None:
    generate(tmp_path / "fink.conf", 1)
    (tmp_path / "fink.conf").write_text("DISTRIBUTION_TOPIC=t\n")
    done = run(tmp_path, "--only kafka -o json")
    assert "DISTRIBUTION_SERVERS is missing" in listed(done)["configuration"]["found"]
    assert done.exit_code == 1


def test_a_kafka_that_does_not_answer(tmp_path: Path) -> None:
    generate(tmp_path / "fink.conf", 1)
    file = tmp_path / "fink.conf"
    file.write_text(file.read_text().replace("127.0.0.1:9093", "127.0.0.1:1"))
    found = listed(run(tmp_path, "--only kafka --timeout 1 -o json"))
    for role in ("producer", "consumer"):
        assert (found[role]["state"], found[role]["found"]) == ("not ok", "No answer from 127.0.0.1:1")
        assert f"{file} (DISTRIBUTION_...)" in found[role]["mend"]
    named = listed(run(tmp_path, "--only kafka --timeout 1 --bootstrap-server 127.0.0.1:1 -o json"))
    assert named["administrator"]["found"] == "No answer from 127.0.0.1:1"
    (tmp_path / "kafka").mkdir()
    stopped = listed(run(tmp_path, "--only kafka -o json"))
    assert (stopped["local Kafka"]["found"], stopped["local Kafka"]["mend"]) == (
        "no broker runs here",
        "fink_kafka start",
    )


REQUIREMENTS = [
    "click>=8.1",
    "kopf==1.45.2",
    'pyspark==4.1.1; extra == "jobs"',
    'slack-sdk==3.47.0; extra == "jobs"',
    'pytest; extra == "dev"',
]
INSTALLED = {"click": "8.2", "kopf": "1.45.2", "pyspark": "4.1.1", "slack-sdk": "3.47.0"}


@pytest.mark.parametrize(
    ("changes", "states", "text"),
    [
        ({}, ("ok", "ok"), "pyspark 4.1.1"),
        ({"click": None}, ("not ok", "ok"), "click is missing"),
        ({"kopf": "1.0"}, ("not ok", "ok"), "kopf is 1.0 and has to be 1.45.2"),
        ({"pyspark": "3.5.0"}, ("ok", "not ok"), "pyspark is 3.5.0 and has to be 4.1.1"),
        ({"pyspark": None}, ("ok", "not ok"), "pyspark is missing"),
        ({"pyspark": None, "slack-sdk": None}, ("ok", "not set up"), "pip install '.[jobs]'"),
    ],
)
def test_packages_are_held_against_what_is_asked_for(
    changes: Mapping[str, str | None], states: tuple[str, str], text: str
) -> None:
    found = list(machine.judged(REQUIREMENTS, {**INSTALLED, **changes}.get))
    assert tuple(each.state.value for each in found) == states
    assert text in str(found)


OWN = {kind: packaged(kind) for kind in Kind}


def definition(kind: Kind) -> dict[str, Any]:
    version = {"name": "v1alpha1", "schema": {"openAPIV3Schema": copy.deepcopy(dict(OWN[kind]))}}
    return {"spec": {"versions": [version]}}


DEFINITIONS = {kind: definition(kind) for kind in Kind}


def of_kubernetes(**changes: Any) -> dict[str, Finding]:
    nothing: dict[Kind, list[str]] = {kind: [] for kind in kubernetes.WANTED}
    well = Inspection("v1.33.1", frozenset(Kind), DEFINITIONS, nothing)
    found = kubernetes.judged(replace(well, **changes), OWN, "ztf")
    return {each.what: each for each in found}


def test_a_cluster_as_this_version_has_it_is_well() -> None:
    found = of_kubernetes()
    assert {each.state for each in found.values()} == {State.OK}
    assert found["API server"].found == "Kubernetes v1.33.1"
    assert found["rights: alerttopics"].found == "in ztf: list, create, patch, delete"
    assert "rights: kafkaconnections" not in found


def test_what_lacks_in_a_cluster_is_said_with_its_cure() -> None:
    older = definition(Kind.KAFKA_ACL)
    del older["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    definitions = {**DEFINITIONS, Kind.KAFKA_ACL: older, Kind.ALERT_TOPIC: {"spec": {"versions": []}}}
    del definitions[Kind.DISTRIBUTION_STREAM]
    found = of_kubernetes(
        version="v1.29.3+k3s1",
        definitions=definitions,
        served=frozenset(Kind) - {Kind.KAFKA_USER, Kind.DISTRIBUTION_STREAM},
        forbidden={Kind.KAFKA_USER: ["create", "delete"], Kind.ALERT_TOPIC: []},
    )
    bad = {what: each for what, each in found.items() if each.state is State.BAD}
    assert {what: each.found for what, each in bad.items()} == {
        "API server": "Kubernetes v1.29.3+k3s1 is too old",
        "DistributionStream": "the kind is not installed",
        "KafkaAcl": "the kind's schema is not that of this version",
        "AlertTopic": "the kind's schema is not that of this version",
        "KafkaUser": "the kind is not served",
        "rights: kafkausers": "in ztf you may not create, delete",
    }
    assert all(each.mend for each in bad.values())
    assert "fink-distribution-access-edit" in bad["rights: kafkausers"].mend


def test_who_may_not_read_definitions_is_told_what_is_served() -> None:
    found = of_kubernetes(definitions=None, served=frozenset({Kind.ALERT_TOPIC}))
    assert found["AlertTopic"].state is State.OK
    assert (found["KafkaUser"].state, found["KafkaUser"].found) == (State.BAD, "the kind is not installed")
