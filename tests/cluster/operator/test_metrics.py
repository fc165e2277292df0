"""What Prometheus reads from a running operator, and the Events that people read."""

from __future__ import annotations

import json
import urllib.request
from collections import Counter
from typing import Any

from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from prometheus_client.parser import text_string_to_metric_families

from cluster.operator.scene import MakeScene, Scene
from testbed import ports
from testbed.fixtures import wait_for


class Scrape:
    """One answer of /metrics."""

    def __init__(self, scene: Scene) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{scene.metrics_port}/metrics", timeout=30) as answer:
            self.text = answer.read().decode()
        self.samples = [sample for family in text_string_to_metric_families(self.text) for sample in family.samples]

    def value(self, name: str, **labels: str) -> float:
        """The sum of the samples that have these labels."""
        return sum(s.value for s in self.samples if s.name == name and labels.items() <= s.labels.items())


def _becomes(scene: Scene, value: float, name: str, **labels: str) -> None:
    wait_for(lambda: Scrape(scene).value(name, **labels) == value, timeout=60, what=f"{name}{labels} is {value}")


def test_metrics_tell_what_happened(make_scene: MakeScene) -> None:
    scene = make_scene(drift_seconds=1, metrics_port=ports.pick("metrics"))
    scene.start()
    scene.apply(scene.admin_secret(), scene.connection())
    scene.ready("kafkaconnection", "default", "Connected", scene.home, timeout=180)
    scene.declare(
        "AlertTopic",
        "alerts",
        {"topicName": scene.name("alerts"), "config": {"retention.ms": "3600000"}, "deletionPolicy": "Delete"},
    )
    scene.ready("alerttopic", "alerts", "Reconciled")
    _becomes(scene, 1, "fink_leader")
    _becomes(scene, 1, "fink_resources", kind="AlertTopic", reason="Reconciled", ready="True")
    _becomes(scene, 1, "fink_resources", kind="KafkaConnection", reason="Connected", ready="True")
    _becomes(scene, 0, "fink_queue_depth")
    _becomes(scene, 0, "fink_drift_repaired_total", kind="AlertTopic")
    scrape = Scrape(scene)
    assert scrape.value("fink_reconcile_total", kind="AlertTopic", result="Reconciled") >= 1
    assert scrape.value("fink_reconcile_duration_seconds_count", kind="AlertTopic") >= 1
    assert scrape.value("fink_kafka_call_duration_seconds_count", call="create_topics", result="ok") == 1
    assert scrape.value("process_resident_memory_bytes") > 0
    assert scrape.value("fink_orphans", connection="default") == 0
    assert scene.name("alerts") not in scrape.text, "labels name no topics"
    _drift_is_counted_once(scene)
    _an_absent_kafka_is_seen(scene)
    scene.delete("alerttopic", "alerts")
    _becomes(scene, 1, "fink_reconcile_total", kind="AlertTopic", result="Released")
    _becomes(scene, 0, "fink_resources", kind="AlertTopic")


def _drift_is_counted_once(scene: Scene) -> None:
    entry = ConfigEntry("retention.ms", "1000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, scene.name("alerts"), incremental_configs=[entry])
    scene.admin.incremental_alter_configs([resource])[resource].result()
    _becomes(scene, 1, "fink_drift_repaired_total", kind="AlertTopic")
    assert scene.topic_config(scene.name("alerts")) == {"retention.ms": "3600000"}
    # The user's own change of the spec is no drift.
    changed = {"topicName": scene.name("alerts"), "deletionPolicy": "Delete", "config": {"retention.ms": "7200000"}}
    scene.declare("AlertTopic", "alerts", changed)
    wait_for(
        lambda: scene.topic_config(scene.name("alerts")) == {"retention.ms": "7200000"}, what="the topic is changed"
    )
    _becomes(scene, 1, "fink_drift_repaired_total", kind="AlertTopic")


def _an_absent_kafka_is_seen(scene: Scene) -> None:
    scene.apply(scene.connection("away", bootstrapServers=[f"127.0.0.1:{ports.pick('nobody')}"]))
    _becomes(scene, 1, "fink_resources", kind="KafkaConnection", reason="KafkaUnreachable", ready="False")
    scrape = Scrape(scene)
    assert scrape.value("fink_reconcile_total", kind="KafkaConnection", result="KafkaUnreachable") >= 1
    wait_for(
        lambda: (
            Scrape(scene).value(
                "fink_kafka_call_duration_seconds_count", call="describe_cluster", result="KafkaUnreachable"
            )
            >= 1
        ),
        what="the failed call is counted",
    )


def _events(scene: Scene, namespace: str) -> Counter[tuple[str, str, str]]:
    found: list[dict[str, Any]] = json.loads(scene.kubectl("get", "events", "-n", namespace, "-o", "json"))["items"]
    ours = [each for each in found if each.get("source", {}).get("component") == "fink-distribution"]
    return Counter((each["involvedObject"]["kind"], each["type"], each["reason"]) for each in ours)


def test_each_transition_of_each_kind_is_one_event_without_a_secret(make_scene: MakeScene) -> None:
    scene = make_scene(drift_seconds=1, metrics_port=ports.pick("metrics"))
    scene.start()
    scene.apply(scene.admin_secret(), scene.connection())
    scene.ready("kafkaconnection", "default", "Connected", scene.home, timeout=180)
    reader = {"topics": [{"topicRef": {"name": "alerts"}}], "group": {"name": scene.name("group")}}
    claims = {"source": {"parquet": {"claimName": "science"}}, "checkpoint": {"claimName": "checkpoints"}}
    scene.declare(
        "DistributionStream", "rubin", {**claims, "outputs": [{"name": "all", "topicRef": {"name": "alerts"}}]}
    )
    # Else it would begin with its pods, and a resource's first state is no transition.
    scene.ready("distributionstream", "rubin", "DependencyNotReady")
    scene.declare("AlertTopic", "alerts", {"topicName": scene.name("alerts")})
    scene.declare("KafkaUser", "reader", {"userName": scene.name("reader")})
    scene.declare("KafkaAcl", "reader", {"userRef": {"name": "reader"}, "consumer": reader})
    scene.declare("AlertTopic", "rival", {"topicName": scene.name("alerts")})
    for kind in ("alerttopic", "kafkauser", "kafkaacl"):
        scene.ready(kind, "alerts" if kind == "alerttopic" else "reader", "Reconciled")
    scene.ready("alerttopic", "rival", "Conflict")
    password = scene.secret("reader")["password"]
    # Passes in which nothing changes, each of which looks at users and at what is stalled.
    before = Scrape(scene).value("fink_reconcile_total", kind="KafkaUser")
    wait_for(lambda: Scrape(scene).value("fink_reconcile_total", kind="KafkaUser") >= before + 3, what="three passes")
    assert _events(scene, scene.home) == Counter({("KafkaConnection", "Normal", "Connected"): 1})
    events = _events(scene, scene.namespace)
    assert {each[0] for each in events} == {"AlertTopic", "KafkaUser", "KafkaAcl", "DistributionStream"}
    # The stream's own user and permissions have theirs.
    assert events["AlertTopic", "Normal", "Reconciled"] == 1
    assert events["KafkaUser", "Normal", "Reconciled"] == events["KafkaAcl", "Normal", "Reconciled"] == 2
    assert events["AlertTopic", "Warning", "Conflict"] == 1
    everything = scene.kubectl("get", "events", "-n", scene.namespace, "-o", "json")
    assert password not in everything
    assert scene.admin_config["sasl.password"] not in everything + scene.log.read_text() + Scrape(scene).text
