"""How the chart runs the operator, by its values."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from chart.rendered import CHART, Helm, Render, container, environment, of_kind, only, pod
from fink_distribution.settings import Settings

DIGEST = "sha256:" + "0123456789abcdef" * 4


def test_lint_finds_nothing(helm: Helm) -> None:
    printed = helm("lint", "--strict", str(CHART))
    assert "0 chart(s) failed" in printed
    assert "[WARNING]" not in printed


def test_an_old_kubernetes_is_refused(helm: Helm) -> None:
    with pytest.raises(AssertionError, match=r"requires kubeVersion: >=1\.30"):
        helm("template", "x", str(CHART), "--kube-version", "1.29.9")
    assert "kind: Deployment" in helm("template", "x", str(CHART), "--kube-version", "1.30.0-eks-1")


def test_by_default_one_operator_works_for_all_namespaces(render: Render) -> None:
    objects = render()
    deployment = only(objects, "Deployment")["spec"]
    assert (deployment["replicas"], deployment["strategy"]["type"]) == (1, "Recreate")
    app_version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    assert container(objects)["image"] == f"fink-distribution-operator:{app_version}"
    assert environment(objects) == {
        "FINK_NAMESPACE": "$(POD_NAMESPACE)",
        "FINK_WATCH_NAMESPACES": "",
        "FINK_JOB_IMAGE": f"fink-distribution-job:{app_version}",
        "FINK_JOB_IMAGE_PULL_POLICY": "IfNotPresent",
        "FINK_DRIFT_INTERVAL_SECONDS": "60",
        "FINK_DELETION_DEADLINE_SECONDS": "300",
        "FINK_LEASE_DURATION_SECONDS": "30",
        "FINK_LEASE_RENEW_DEADLINE_SECONDS": "20",
        "FINK_LEASE_RETRY_SECONDS": "2",
        "FINK_METRICS_PORT": "9090",
        "FINK_LOG_LEVEL": "INFO",
        "FINK_LOG_FORMAT": "text",
    }
    first = container(objects)["env"][0]
    assert first == {"name": "POD_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}}
    assert len(of_kind(objects, "CustomResourceDefinition")) == 5
    identity = container(objects)["env"][1]
    assert identity == {"name": "FINK_IDENTITY", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}
    assert only(objects, "Role")["metadata"]["name"] == "fink-distribution-lease"
    assert of_kind(objects, "NetworkPolicy", "Service", "PodMonitor", "ServiceMonitor", "PrometheusRule") == []


def test_the_operator_understands_what_the_chart_sets(render: Render, monkeypatch: pytest.MonkeyPatch) -> None:
    values = ["watchNamespaces={ztf,lsst}", "log.level=DEBUG", "log.format=json", "driftIntervalSeconds=5"]
    values += ["deletionDeadlineSeconds=0", "job.imagePullPolicy=Never", "job.image=elsewhere/job:1"]
    values += ["slack.apiUrl=https://slack-gov.com/api/"]
    set_by_chart = environment(render(*[word for value in values for word in ("--set", value)]))
    assert {f"FINK_{name.upper()}" for name in Settings.model_fields} >= set(set_by_chart)
    for name, value in set_by_chart.items():
        monkeypatch.setenv(name, value.replace("$(POD_NAMESPACE)", "fink"))
    settings = Settings()  # type: ignore[call-arg]
    assert settings.namespaces == ("fink", "lsst", "ztf")
    assert (settings.log_level, settings.log_format) == ("DEBUG", "json")
    assert (settings.drift_interval_seconds, settings.deletion_deadline_seconds) == (5, 0)
    assert (settings.job_image, settings.job_image_pull_policy) == ("elsewhere/job:1", "Never")
    assert settings.slack_api_url == "https://slack-gov.com/api/"
    probe = container(render())["livenessProbe"]["httpGet"]
    health, metrics = container(render())["ports"]
    assert (probe["path"], probe["port"]) == ("/healthz", health["name"])
    assert (health["containerPort"], metrics["containerPort"]) == (settings.liveness_port, settings.metrics_port)


def test_several_operators_roll_and_one_is_replaced(render: Render) -> None:
    for replicas, strategy in ((1, "Recreate"), (2, "RollingUpdate")):
        deployment = only(render("--set", f"replicas={replicas}"), "Deployment")["spec"]
        assert (deployment["replicas"], deployment["strategy"]["type"]) == (replicas, strategy)
    assert of_kind(render("--set", "lease.durationSeconds=0"), "Role") == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("replicas=2,lease.durationSeconds=0", "replicas is more than 1, so lease.durationSeconds must not be 0"),
        ("lease.durationSeconds=29", "must be 0, or at least lease.renewDeadlineSeconds plus 10"),
        ("lease.retrySeconds=11", "lease.renewDeadlineSeconds must be at least twice lease.retrySeconds"),
    ],
)
def test_times_that_would_let_two_write_are_refused(render: Render, values: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        render("--set", values)


@pytest.mark.parametrize(
    ("values", "image"),
    [
        ("image.tag=v9", "fink-distribution-operator:v9"),
        (f"image.tag=v9,image.digest={DIGEST}", f"fink-distribution-operator@{DIGEST}"),
        ("image.registry=r.example.org:5000,image.repository=a/b,image.tag=v1", "r.example.org:5000/a/b:v1"),
    ],
    ids=["tag", "digest", "registry"],
)
def test_images_by_tag_digest_and_registry(render: Render, values: str, image: str) -> None:
    assert container(render("--set", values))["image"] == image
    of_job = render("--set", values.replace("image.", "jobImage."))
    assert environment(of_job)["FINK_JOB_IMAGE"] == image.replace("-operator", "-job")


def test_where_and_as_what_the_pod_runs(render: Render, tmp_path: Path) -> None:
    values = {
        "image": {"pullSecrets": [{"name": "registry"}]},
        "nodeSelector": {"kubernetes.io/arch": "amd64"},
        "tolerations": [{"key": "spot", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
        "priorityClassName": "system-cluster-critical",
        "podLabels": {"team": "alerts", "app.kubernetes.io/name": "not-ours"},
        "podAnnotations": {"note": "hello"},
        "resources": {"limits": {"memory": "1Gi"}},
    }
    file = tmp_path / "values.yaml"
    file.write_text(yaml.safe_dump(values))
    objects = render("--values", str(file))
    spec, metadata = pod(objects)["spec"], pod(objects)["metadata"]
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    for name in ("nodeSelector", "tolerations", "affinity", "priorityClassName"):
        assert spec[name] == values[name]
    assert metadata["labels"]["team"] == "alerts"
    assert metadata["annotations"]["note"] == "hello"
    assert container(objects)["resources"]["limits"] == {"memory": "1Gi"}
    selector = only(objects, "Deployment")["spec"]["selector"]["matchLabels"]
    assert selector.items() <= metadata["labels"].items(), (
        "a pod label of the user's must not hide the pod from its Deployment"
    )
