"""What the chart makes for Prometheus."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from chart.rendered import CHART, Object, Render, container, of_kind, only, pod
from chart.streams import accepted_stream
from distribution_job.lag import Lag
from distribution_job.metrics import Metrics
from distribution_job.progress import Progress
from fink_distribution.streams.notifier_objects import notifier_workload
from fink_distribution.streams.objects import workload

KINDS = ("Service", "ServiceMonitor", "PodMonitor", "PrometheusRule")
OURS = tuple(word for kind in KINDS[1:] for word in ("--api-versions", f"monitoring.coreos.com/v1/{kind}"))


def kinds(objects: list[Object]) -> list[str]:
    return sorted(each["kind"] for each in of_kind(objects, *KINDS))


@pytest.mark.parametrize(
    ("values", "made"),
    [
        ("metrics.service=true", ["Service"]),
        ("metrics.monitor=ServiceMonitor", ["Service", "ServiceMonitor"]),
        ("metrics.monitor=PodMonitor", ["PodMonitor"]),
        ("metrics.monitor=PodMonitor,metrics.rules=true", ["PodMonitor", "PrometheusRule"]),
        ("metrics.port=0,metrics.service=true", []),
        ("metrics.port=0,slack.podMonitor=true", ["PodMonitor"]),
        ("metrics.port=0,job.podMonitor=true,job.rules=true", ["PodMonitor", "PrometheusRule"]),
        (
            "metrics.rules=true,job.podMonitor=true,job.rules=true,slack.podMonitor=true",
            ["PodMonitor"] * 2 + ["PrometheusRule"] * 2,
        ),
    ],
)
def test_what_is_made_where_prometheus_operator_is(render: Render, values: str, made: list[str]) -> None:
    assert kinds(render("--set", values, *OURS)) == made


def test_monitors_find_the_pod_and_prometheus_finds_them(render: Render) -> None:
    for kind, endpoints in (("ServiceMonitor", "endpoints"), ("PodMonitor", "podMetricsEndpoints")):
        objects = render("--set", f"metrics.monitor={kind},metrics.labels.release=prometheus", *OURS)
        monitor = only(objects, kind)
        assert monitor["metadata"]["labels"]["release"] == "prometheus"
        (endpoint,) = monitor["spec"][endpoints]
        ports = {each["name"]: each["containerPort"] for each in container(objects)["ports"]}
        assert endpoint["port"] in ports
        labels = only(objects, "Service")["metadata"]["labels"] if kind == "ServiceMonitor" else None
        assert (
            monitor["spec"]["selector"]["matchLabels"].items() <= (labels or pod(objects)["metadata"]["labels"]).items()
        )
    service = only(render("--set", "metrics.service=true"), "Service")["spec"]
    assert service["selector"].items() <= pod(render())["metadata"]["labels"].items()


@pytest.mark.parametrize("part", ["job", "slack"])
def test_drivers_and_notifiers_of_the_watched_namespaces_are_found(render: Render, part: str) -> None:
    values = ("--set", f"{part}.podMonitor=true,metrics.labels.release=prometheus", *OURS)
    monitor = only(render(*values), "PodMonitor")
    assert monitor["metadata"]["labels"]["release"] == "prometheus"
    assert monitor["spec"]["namespaceSelector"] == {"any": True}
    watched = only(render(*values, "--set", "watchNamespaces={ztf}"), "PodMonitor")["spec"]
    assert watched["namespaceSelector"] == {"matchNames": ["fink", "ztf"]}
    driver, notifier = pods()
    template, other = (driver, notifier) if part == "job" else (notifier, driver)
    assert watched["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    assert not watched["selector"]["matchLabels"].items() <= other["metadata"]["labels"].items()
    assert set(watched["podTargetLabels"]) <= set(template["metadata"]["labels"])
    (port,) = template["spec"]["containers"][0]["ports"]
    assert watched["podMetricsEndpoints"][0]["port"] == port["name"]


def pods() -> list[Object]:
    """The templates of a stream's driver and of its notifier, as the operator makes them."""
    body, stream, around = accepted_stream("distributionstream-slack-smallest", "ztf")
    assert stream.slack is not None
    driver = only(workload(body, stream, around), "StatefulSet")
    notifier = only(notifier_workload(body, stream, stream.slack, around, ""), "Deployment")
    return [each["spec"]["template"] for each in (driver, notifier)]


def test_without_prometheus_operator_its_kinds_are_left_out_or_missed(render: Render) -> None:
    wanted = "metrics.monitor=ServiceMonitor,metrics.rules=true"
    assert kinds(render("--set", wanted)) == ["Service"]
    always = render("--set", f"{wanted},metrics.renderMode=alwaysRender")
    assert kinds(always) == ["PrometheusRule", "Service", "ServiceMonitor"]
    with pytest.raises(AssertionError, match="the cluster has no kind ServiceMonitor"):
        render("--set", f"{wanted},metrics.renderMode=failIfMissing")
    with pytest.raises(AssertionError, match=r"metrics\.port is 0, so there is nothing for a ServiceMonitor"):
        render("--set", f"{wanted},metrics.port=0")


def test_alerts_are_about_this_installation(render: Render) -> None:
    objects = render("--set", "metrics.rules=true", *OURS, namespace="elsewhere")
    (group,) = only(objects, "PrometheusRule")["spec"]["groups"]
    for rule in group["rules"]:
        assert 'namespace="elsewhere"' in rule["expr"], rule["alert"]
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert "{{ .Release" not in json.dumps(rule)
    assert "{{ $labels.reason }}" in group["rules"][1]["annotations"]["description"]


def test_alerts_about_streams_ask_for_metrics_that_there_are(render: Render) -> None:
    (group,) = only(render("--set", "job.rules=true", *OURS), "PrometheusRule")["spec"]["groups"]
    progress = Progress(["a"])
    progress.lag(Lag(messages=0))
    known = {
        sample.name for metric in Metrics(progress, knows_bytes=True).collectors.collect() for sample in metric.samples
    }
    for rule in group["rules"]:
        asked = set(re.findall(r"fink_distribution_job_\w+", rule["expr"].replace("(files|messages)", "files")))
        assert asked
        assert asked <= known, rule["alert"]
        assert "{{ $labels.distribution_fink_broker_org_stream }}" in rule["annotations"]["description"]


def test_every_alert_is_explained(render: Render) -> None:
    page = (CHART.parents[1] / "docs" / "operations.md").read_text()
    for rules in only_rules(render("--set", "metrics.rules=true,job.rules=true", *OURS)):
        for rule in rules:
            assert f"| `{rule['alert']}` |" in page


def only_rules(objects: list[Object]) -> list[list[Object]]:
    return [group["rules"] for each in of_kind(objects, "PrometheusRule") for group in each["spec"]["groups"]]


def test_the_network_policy_lets_prometheus_in(render: Render, tmp_path: Path) -> None:
    peers = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}]
    file = tmp_path / "values.yaml"
    file.write_text(json.dumps({"networkPolicy": {"enabled": True, "metricsFrom": peers}}))
    health, metrics = only(render("--values", str(file)), "NetworkPolicy")["spec"]["ingress"]
    assert health == {"ports": [{"port": "health", "protocol": "TCP"}]}
    assert metrics == {"ports": [{"port": "metrics", "protocol": "TCP"}], "from": peers}
    without = only(render("--values", str(file), "--set", "metrics.port=0"), "NetworkPolicy")["spec"]["ingress"]
    assert without == [health]
