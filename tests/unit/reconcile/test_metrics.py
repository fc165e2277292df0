"""What is counted, and that the documentation says so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from fink_distribution.reconcile.metrics import RELEASED, Metrics, readiness
from fink_distribution.reconcile.registry import Registry
from fink_distribution.resources.keys import Key, Kind

REPOSITORY = Path(__file__).parents[3]
KEY = Key(Kind.ALERT_TOPIC, "ztf", "alerts")


def body(kind: str = "AlertTopic", namespace: str = "ztf", *, deleted: bool = False, **status: Any) -> dict[str, Any]:
    metadata = {"name": "alerts", "namespace": namespace, "uid": f"{kind}-{namespace}", "resourceVersion": "1"}
    if deleted:
        metadata["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return {
        "apiVersion": "distribution.fink-broker.org/v1alpha1",
        "kind": kind,
        "metadata": metadata,
        "spec": {},
        "status": status,
    }


def ready(reason: str, status: str = "True") -> list[dict[str, str]]:
    return [{"type": "Ready", "reason": reason, "status": status}]


@pytest.mark.parametrize(
    ("resource", "labels"),
    [
        (body(conditions=ready("Reconciled")), ("AlertTopic", "Reconciled", "True")),
        (body(conditions=ready("Conflict", "False")), ("AlertTopic", "Conflict", "False")),
        (body(), ("AlertTopic", "Unknown", "Unknown")),
        (body(deleted=True, conditions=ready("Reconciled")), ("AlertTopic", "Terminating", "False")),
        (body(conditions=ready("Whatever-somebody-wrote")), ("AlertTopic", "Unknown", "True")),
    ],
    ids=["ready", "stalled", "new", "deleted", "a-reason-that-is-not-ours"],
)
def test_readiness(resource: dict[str, Any], labels: tuple[str, str, str]) -> None:
    assert readiness(resource) == labels


def turn(metrics: Metrics, result: str, *, changed: bool) -> None:
    with metrics.turn(KEY) as running:
        if changed:
            metrics.changing(KEY)
        running.result = result


def repaired(metrics: Metrics) -> float | None:
    return metrics.collectors.get_sample_value("fink_drift_repaired_total", {"kind": "AlertTopic"})


def test_drift_is_repaired_once_it_is_changed_back() -> None:
    metrics = Metrics(Registry("fink"))
    turn(metrics, "Reconciled", changed=True)
    assert repaired(metrics) == 0, "a change without drift"
    metrics.drifted(KEY)
    metrics.drifted(KEY)
    turn(metrics, "KafkaUnreachable", changed=True)
    assert repaired(metrics) == 0, "not repaired yet"
    turn(metrics, "Reconciled", changed=True)
    turn(metrics, "Reconciled", changed=True)
    assert repaired(metrics) == 1
    metrics.drifted(KEY)
    turn(metrics, "Reconciled", changed=False)
    metrics.drifted(KEY)
    turn(metrics, RELEASED, changed=True)
    turn(metrics, "Reconciled", changed=True)
    assert repaired(metrics) == 1, "somebody else put it right; it was deleted"


def test_the_oldest_running_reconcile_is_timed() -> None:
    now = [100.0]
    metrics = Metrics(Registry("fink"), clock=lambda: now[0])
    name = "fink_reconcile_in_progress_age_seconds"
    with metrics.turn(KEY) as running:
        now[0] += 7
        with metrics.turn(Key(Kind.KAFKA_USER, "ztf", "reader")):
            assert metrics.collectors.get_sample_value(name) == 7
        running.result = "Reconciled"
    assert metrics.collectors.get_sample_value(name) == 0
    assert metrics.collectors.get_sample_value("fink_reconcile_duration_seconds_sum", {"kind": "AlertTopic"}) == 7
    labels = {"kind": "KafkaUser", "result": ""}
    assert metrics.collectors.get_sample_value("fink_reconcile_total", labels) is None, "it was cut off"


def test_orphans_are_those_of_connections_in_the_operators_namespace() -> None:
    registry = Registry("fink")
    registry.see(body("KafkaConnection", "fink", orphans=[{"kind": "AlertTopic"}, {"kind": "KafkaUser"}]))
    registry.see(body("KafkaConnection", "ztf", orphans=[{"kind": "AlertTopic"}]))
    assert Metrics(registry).collectors.get_sample_value("fink_orphans", {"connection": "alerts"}) == 2


def names() -> set[str]:
    """The names of our metrics, as a query has them."""
    found = set()
    for family in Metrics(Registry("fink")).collectors.collect():
        if family.name.startswith("fink_"):
            found.add(f"{family.name}_total" if family.type == "counter" else family.name)
    return found


def test_the_documentation_lists_the_metrics() -> None:
    listed = re.findall(r"^\| `(fink_\w+)", (REPOSITORY / "docs" / "operations.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(names())


def test_alerts_ask_for_metrics_that_there_are_and_are_explained() -> None:
    files = REPOSITORY / "charts" / "fink-distribution" / "files"
    alerts, of_streams = ((files / name).read_text() for name in ("alerts.yaml", "stream-alerts.yaml"))
    asked = set(re.findall(r"fink_\w+", alerts))
    assert asked <= names()
    explained = re.findall(r"^\| `(Fink\w+)`", (REPOSITORY / "docs" / "operations.md").read_text(), re.MULTILINE)
    assert explained == re.findall(r"alert: (\w+)", alerts + of_streams)
