"""A stream on the real node, from manifests to alerts decoded by a client that knows nothing of us."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from confluent_kafka import KafkaException
from fink_filters.ztf.livestream.filter_sso_ztf_candidates.filter import sso_ztf_candidates_

from cluster.operator.logins import can_log_in, read, write
from demo.science_alerts import generate
from e2e.stage import Stage
from fink_command import fink
from slack_server import TOKEN, SlackServer
from testbed.environment import Environment
from testbed.fixtures import wait_for

OUTPUTS: list[dict[str, Any]] = [
    {"name": "all", "drop": ["cutoutScience", "cutoutTemplate", "cutoutDifference"]},
    {"name": "sn", "filter": {"sql": "snn_sn_vs_all > 0.5 AND candidate.drb > 0.5"}, "select": ["objectId", "candid"]},
    {
        "name": "sso",
        "filter": {"python": "fink_filters.ztf.livestream.filter_sso_ztf_candidates.filter.sso_ztf_candidates"},
    },
]
ROWS = 600
SLACK: dict[str, Any] = {
    "tokenSecretRef": {"name": "workspace"},
    "routes": [{"outputs": ["sn"], "to": "#sn"}],
    "digest": {"intervalSeconds": 1},
    "repeats": "Show",
    "startingFrom": "Earliest",
    "resources": {"cpu": "50m", "memory": "256Mi"},
}


def _expected(table: pa.Table) -> dict[str, set[int]]:
    """Return which alerts each output should hold, counted without Spark."""
    pandas = table.to_pandas()
    drb = pandas["candidate"].map(lambda candidate: candidate["drb"])
    matches = {
        "all": [True] * len(pandas),
        "sn": (pandas["snn_sn_vs_all"] > 0.5) & (drb > 0.5),
        "sso": sso_ztf_candidates_(pandas["roid"]),
    }
    return {name: set(pandas["candid"][match]) for name, match in matches.items()}


@pytest.fixture(scope="module")
def ztf(stage: Stage, slack: SlackServer) -> Stage:
    """A stream with an executor pod and a Slack notifier, running."""
    metadata = {"name": "workspace", "namespace": stage.scene.namespace}
    stage.scene.apply({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"token": TOKEN}})
    slack.channel("sn")
    stage.play("ztf", OUTPUTS, executors={"instances": 1, "cpu": "250m"}, slack=SLACK)
    stage.scene.ready("distributionstream", "ztf", "Running", timeout=240)
    return stage


def test_each_output_holds_each_matching_alert_spread_over_the_partitions(ztf: Stage) -> None:
    secret = ztf.reader("community", [ztf.topic("ztf", output["name"]) for output in OUTPUTS])
    table = generate(ROWS, seed=7)
    ztf.drop("ztf", table)
    for name, wanted in _expected(table).items():
        assert wanted, f"the generated alerts hold none for {name}"
        found = ztf.received(secret, ztf.topic("ztf", name), len(wanted), timeout=240)
        assert Counter(message.alert["candid"] for message in found) == Counter(wanted)
        assert len({message.partition for message in found}) == 3, "one key, and yet all partitions are used"
        assert len({message.key for message in found}) == 1
        assert {"objectId", "candid"} <= set(found[0].alert)
    first = ztf.received(secret, ztf.topic("ztf", "sso"), 1)[0].alert
    row = table.filter(pc.equal(table["candid"], first["candid"])).to_pylist()[0]
    assert first["candidate"]["ra"] == row["candidate"]["ra"]
    assert first["cutoutScience"]["stampData"] == row["cutoutScience"]["stampData"]


def test_an_unmodified_fink_client_reads_every_alert_of_an_output(ztf: Stage, tmp_path: Path) -> None:
    wanted = _expected(generate(ROWS, seed=7))["sso"]
    asked = {
        "survey": "ztf",
        "secret": ztf.scene.secret("community"),
        "topic": ztf.topic("ztf", "sso"),
        "count": len(wanted),
        "column": "candid",
    }
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("fink_client_reader.py"))],
        input=json.dumps(asked),
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(json.loads(done.stdout.splitlines()[-1])) == sorted(wanted)


def test_progress_is_told_in_the_status_and_in_one_line(ztf: Stage) -> None:
    wait_for(lambda: ztf.progress("ztf").get("rowsRead", 0) >= ROWS, what="the driver says what it has read")
    outputs = {output["name"]: output for output in ztf.progress("ztf")["outputs"]}
    assert outputs["all"]["published"] == ROWS
    line = ztf.scene.kubectl("get", "dstream", "ztf", "-n", ztf.scene.namespace, "--no-headers").split()
    assert line[:5] == ["ztf", "True", "Running", "Running", str(ROWS)]


def test_a_job_beside_the_driver_accounts_for_each_alert(ztf: Stage, testbed: Environment) -> None:
    namespace = ztf.scene.namespace
    where = ("-n", namespace, "--kubeconfig", str(testbed.kubeconfig))
    done = fink("verify", "ztf", *where, "-o", "json")
    assert done.status == 0, done.out + done.err
    found = {each["topic"]: each for each in json.loads(done.out)["topics"]}
    for name, wanted in _expected(generate(ROWS, seed=7)).items():
        topic = found[ztf.topic("ztf", name)]
        assert topic["expected"] == topic["published"] == len(wanted)
    wait_for(lambda: "verify" not in ztf.scene.kubectl("get", "jobs", "-n", namespace, "-o", "name"), what="it is gone")


def test_a_notifier_of_its_own_announces_what_the_stream_publishes(ztf: Stage, slack: SlackServer) -> None:
    wanted = len(_expected(generate(ROWS, seed=7))["sn"])

    def announced() -> int:
        return sum(int(text.split()[0]) for text in slack.texts("#sn"))

    wait_for(lambda: announced() == wanted, timeout=60, what=f"{wanted} alerts are announced")
    found = wait_for(lambda: ztf.scene.condition("dstream", "ztf", "SlackReady"), what="SlackReady is there")
    assert (found["status"], found["reason"]) == ("True", "Running")


def test_the_reader_is_refused_what_it_was_not_granted(ztf: Stage) -> None:
    secret = ztf.reader("narrow", [ztf.topic("ztf", "sn")])
    with pytest.raises(KafkaException):
        read(secret, ztf.topic("ztf", "all"), secret["username"])
    with pytest.raises(KafkaException):
        write(secret, ztf.topic("ztf", "sn"), b"alert")
    assert not can_log_in({**secret, "username": "nobody"})


def test_no_password_is_in_any_object_or_log(ztf: Stage) -> None:
    scene = ztf.scene
    passwords = [scene.secret(f"ztf-{of}")["password"] for of in ("stream", "slack")]
    passwords += [scene.admin_config["sasl.password"], TOKEN]
    kinds = "configmaps,pods,statefulsets,deployments,fink,events,roles"
    shown = [scene.kubectl("get", kinds, "-n", namespace, "-o", "yaml") for namespace in (scene.namespace, scene.home)]
    shown += [
        scene.kubectl("logs", "ztf-driver-0", "-n", scene.namespace),
        scene.kubectl("logs", "deployment/ztf-slack", "-n", scene.namespace),
        scene.kubectl("logs", "deployment/fink", "-n", scene.home),
    ]
    executors = scene.kubectl("get", "pods", "-n", scene.namespace, "-l", "spark-role=executor", "-o", "name").split()
    assert executors
    shown += [scene.kubectl("logs", executor, "-n", scene.namespace) for executor in executors]
    for text in shown:
        assert not any(password in text for password in passwords)


def test_the_stream_goes_on_while_the_operator_is_down_and_it_takes_up_its_work_again(ztf: Stage) -> None:
    scene = ztf.scene
    scene.kubectl("scale", "deployment", "fink", "-n", scene.home, "--replicas=0")
    scene.kubectl(
        "wait",
        "--for=delete",
        "pod",
        "-l",
        "app.kubernetes.io/name=fink-distribution",
        "-n",
        scene.home,
        "--timeout=60s",
    )
    secret = scene.secret("community")
    table = generate(100, seed=8, first_id=ROWS)
    ztf.drop("ztf", table, files=1)
    found = ztf.received(secret, ztf.topic("ztf", "all"), ROWS + 100)
    assert len(found) == ROWS + 100
    pod = scene.get("pod", "ztf-driver-0")["metadata"]["uid"]
    scene.kubectl("scale", "deployment", "fink", "-n", scene.home, "--replicas=1")
    scene.kubectl("rollout", "status", "deployment", "fink", "-n", scene.home, "--timeout=60s")
    scene.declare("KafkaUser", "late", {"userName": scene.name("late")})
    scene.ready("kafkauser", "late", "Reconciled")
    assert scene.get("pod", "ztf-driver-0")["metadata"]["uid"] == pod, (
        "an operator that starts does not restart streams"
    )


def test_a_changed_stream_resumes_where_it_was(ztf: Stage) -> None:
    scene = ztf.scene
    before = scene.get("pod", "ztf-driver-0")["metadata"]["uid"]
    changed = [*OUTPUTS[:2], {**OUTPUTS[2], "filter": {"sql": "roid = 3"}}]
    scene.apply(ztf.stream("ztf", changed, executors={"instances": 0}))
    wait_for(
        lambda: scene.exists("pod", "ztf-driver-0") and scene.get("pod", "ztf-driver-0")["metadata"]["uid"] != before,
        timeout=60,
        what="a new driver runs",
    )
    scene.ready("distributionstream", "ztf", "Running", timeout=240)
    ztf.drop("ztf", generate(50, seed=9, first_id=ROWS + 100), files=1)
    found = ztf.received(scene.secret("community"), ztf.topic("ztf", "all"), ROWS + 150)
    assert Counter(Counter(message.alert["candid"] for message in found).values()) == {1: ROWS + 150}, (
        "none twice, none lost"
    )


def test_with_the_stream_go_its_pods_user_and_permissions_and_the_topics_stay(ztf: Stage) -> None:
    scene = ztf.scene
    user = f"{scene.namespace}.ztf-stream"
    assert scene.acls(user)
    scene.delete("distributionstream", "ztf", timeout="180s")
    for kind in (
        "pods",
        "statefulsets",
        "deployments",
        "configmaps",
        "secrets",
        "kafkausers",
        "kafkaacls",
        "roles",
        "serviceaccounts",
    ):
        wait_for(
            lambda kind=kind: "ztf-" not in scene.kubectl("get", kind, "-n", scene.namespace, "-o", "name"),  # type: ignore[misc]
            what=f"no {kind} of the stream are left",
        )
    wait_for(lambda: scene.acls(user) == set() and user not in scene.users(), what="its user and permissions are gone")
    assert ztf.topic("ztf", "all") in scene.topics()
