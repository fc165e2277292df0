"""How a stream is said to be, from its pods and its driver's own words."""

from __future__ import annotations

from typing import Any

import pytest

from fink_distribution.resources.conditions import State
from fink_distribution.resources.distribution_stream import DistributionStream
from fink_distribution.streams import health


def stream(**spec: Any) -> DistributionStream:
    base = {
        "source": {"parquet": {"claimName": "c"}},
        "checkpoint": {"claimName": "d"},
        "outputs": [{"name": name, "topicRef": {"name": name}} for name in ("a", "b", "c")],
    }
    return DistributionStream.of({"metadata": {"namespace": "ns", "name": "ztf"}, "spec": {**base, **spec}})


def pod(*, deleted: bool = False, conditions: Any = (), **container: Any) -> dict[str, Any]:
    metadata = {"name": "ztf-driver-0", "namespace": "ns", **({"deletionTimestamp": "now"} if deleted else {})}
    status = {"phase": "Running", "containerStatuses": [container], "conditions": list(conditions)}
    return {"metadata": metadata, "spec": {"containers": [{"image": "job:1"}]}, "status": status}


RUNNING = pod(ready=True)
UNSCHEDULED = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes: Insufficient memory."}


def ended(code: int, message: str = "", reason: str = "Error") -> dict[str, Any]:
    return pod(
        ready=False, restartCount=3, lastState={"terminated": {"exitCode": code, "message": message, "reason": reason}}
    )


@pytest.mark.parametrize(
    ("driver", "progress", "reason", "state", "said"),
    [
        (None, None, "PodsStarting", State.RECONCILING, "kubectl describe statefulset ztf-driver -n ns"),
        (pod(ready=False), None, "PodsStarting", State.RECONCILING, "is starting"),
        (pod(ready=True, deleted=True), None, "PodsStarting", State.RECONCILING, "ends its batch"),
        (
            pod(ready=False, state={"waiting": {"reason": "ImagePullBackOff", "message": "not found"}}),
            None,
            "ImagePullFailed",
            State.STALLED,
            "image job:1 cannot be had: not found",
        ),
        (
            ended(2, "outputs[0]: no"),
            None,
            "PodFailed",
            State.STALLED,
            "refuses its configuration. Its last words: outputs[0]: no",
        ),
        (ended(137), None, "PodFailed", State.STALLED, "raise spec.driver.memory above 2Gi"),
        (ended(1), None, "PodFailed", State.STALLED, "kubectl logs -n ns ztf-driver-0 --previous"),
        (pod(ready=False, conditions=[UNSCHEDULED]), None, "Unschedulable", State.RECONCILING, "Insufficient memory"),
        (
            RUNNING,
            None,
            "Running",
            State.READY,
            "Starting: pod ztf-driver-0 with 0 of 1 executors publishes 3 outputs.",
        ),
        (RUNNING, {"state": "Waiting"}, "Running", State.READY, "Waiting:"),
        (
            RUNNING,
            {"lastErrorReason": "KafkaUnreachable", "lastError": "no answer"},
            "SourceFailed",
            State.STALLED,
            "no batch can be distributed (KafkaUnreachable): no answer",
        ),
        (
            RUNNING,
            {
                "outputs": [
                    {"name": "a"},
                    {"name": "b", "reason": "FilterInvalid", "error": "magpfs?", "pendingFiles": 4},
                ]
            },
            "OutputFailed",
            State.STALLED,
            "output b (FilterInvalid): magpfs? [4 files wait] The 2 other outputs go on; nothing is lost.",
        ),
        (
            RUNNING,
            {
                "outputs": [
                    {"name": "a", "reason": "RegistryUnavailable", "error": "does not answer", "pendingFiles": 1}
                ]
            },
            "OutputFailed",
            State.RECONCILING,
            "output a (RegistryUnavailable): does not answer [1 files wait] The 2 other outputs go on",
        ),
        (
            RUNNING,
            {
                "outputs": [
                    {"name": "a", "reason": "RegistryUnavailable", "error": "does not answer"},
                    {"name": "b", "reason": "FilterInvalid", "error": "magpfs?"},
                ]
            },
            "OutputFailed",
            State.STALLED,
            "magpfs?",
        ),
        (
            RUNNING,
            {"quarantinedFileCount": 1, "quarantinedFiles": [{"path": "f.parquet", "reason": "no footer"}]},
            "SourceFileCorrupt",
            State.STALLED,
            "f.parquet: no footer",
        ),
    ],
)
def test_verdict(driver: Any, progress: Any, reason: str, state: State, said: str) -> None:
    found = health.verdict(stream(), driver, [], progress)
    assert (found.reason, found.state) == (reason, state)
    assert said in found.message


def test_suspended() -> None:
    suspended = stream(suspend=True)
    assert health.verdict(suspended, RUNNING, [], None).state is State.RECONCILING
    assert health.verdict(suspended, None, [], None).reason == "Suspended"


def test_executors_are_counted_and_one_that_finds_no_node_is_said() -> None:
    three = stream(executors={"instances": 3})
    running = {"metadata": {"name": "e1"}, "status": {"phase": "Running"}}
    assert "1 of 3 executors" in health.verdict(three, RUNNING, [running], None).message
    pending = {"metadata": {"name": "e2"}, "status": {"phase": "Pending", "conditions": [UNSCHEDULED]}}
    assert health.verdict(three, RUNNING, [running, pending], None).reason == "Unschedulable"
