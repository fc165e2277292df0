"""How a stream's Slack notifier is said to be, beside the stream."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from stream_specs import SPEC

from fink_distribution.resources.distribution_stream import DistributionStream
from fink_distribution.streams import notifier_health

NOW = datetime(2026, 10, 1, 22, 0, 0, tzinfo=UTC)
FORBIDDEN = {"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: pods."}
UNSCHEDULED = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes: Insufficient memory."}


def pod(name: str = "ztf-slack-1", *, leaving: bool = False, conditions: Any = (), **container: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "ns", "creationTimestamp": f"2026-10-01T21:00:0{name[-1]}Z"}
    if leaving:
        metadata["deletionTimestamp"] = "2026-10-01T21:59:59Z"
    status = {"containerStatuses": [container], "conditions": list(conditions)}
    return {"metadata": metadata, "spec": {"containers": [{"image": "job:1"}]}, "status": status}


def running_since(minute: int) -> dict[str, Any]:
    return {"running": {"startedAt": f"2026-10-01T21:{minute}:50Z"}}


def crashed(code: int) -> dict[str, Any]:
    return {"terminated": {"exitCode": code, "message": "", "reason": "Error"}}


@pytest.mark.parametrize(
    ("deployment", "pods", "status", "reason", "said"),
    [
        ({}, [], "Unknown", "PodsStarting", "kubectl describe deployment ztf-slack -n ns"),
        (
            {"status": {"conditions": [FORBIDDEN]}},
            [],
            "False",
            "PodFailed",
            "refuses the notifier's pod: exceeded quota",
        ),
        ({}, [pod(ready=True)], "True", "Running", "pod ztf-slack-1 announces the alerts of 3 outputs."),
        ({}, [pod(ready=False, state=running_since(59))], "Unknown", "PodsStarting", "is starting"),
        (
            {},
            [pod(ready=False, state=running_since(10))],
            "False",
            "NotifierNotReady",
            "or Slack refuses the token of Secret ns/workspace. It says which: kubectl logs -n ns ztf-slack-1",
        ),
        (
            {},
            [pod(ready=False, restartCount=4, lastState=crashed(1))],
            "False",
            "PodFailed",
            "(4 restarts). See: kubectl logs -n ns ztf-slack-1 --previous",
        ),
        (
            {},
            [pod(ready=False, lastState=crashed(137))],
            "False",
            "PodFailed",
            "raise spec.slack.resources.memory above 512Mi",
        ),
        (
            {},
            [pod(ready=False, state={"waiting": {"reason": "ImagePullBackOff", "message": "not found"}})],
            "False",
            "ImagePullFailed",
            "Correct spec.slack.image",
        ),
        ({}, [pod(ready=False, conditions=[UNSCHEDULED])], "Unknown", "Unschedulable", "Insufficient memory"),
        ({}, [pod(ready=True, leaving=True)], "Unknown", "PodsStarting", "ends and is then replaced"),
        ({}, [pod("ztf-slack-2", ready=True), pod(ready=True, leaving=True)], "True", "Running", "pod ztf-slack-2"),
    ],
)
def test_finding(deployment: Any, pods: Any, status: str, reason: str, said: str) -> None:
    found = finding(deployment, pods)
    assert (found.type, found.status, found.reason) == ("SlackReady", status, reason)
    assert said in found.message


def test_suspended_with_the_stream_all_is_well() -> None:
    found = finding({}, [pod(ready=False)], suspend=True)
    assert (found.status, found.reason) == ("True", "Suspended")


def finding(deployment: Any, pods: Any, **more: Any) -> Any:
    slack = {"tokenSecretRef": {"name": "workspace"}, "routes": [{"to": "#alerts"}]}
    metadata = {"namespace": "ns", "name": "ztf"}
    stream = DistributionStream.of({"metadata": metadata, "spec": {**SPEC, "slack": slack, **more}})
    assert stream.slack is not None
    return notifier_health.finding(notifier_health.verdict(stream, stream.slack, deployment, pods, NOW))
