"""The Job of `fink verify`, from its making to its deletion, at a stand-in for the API server; tests/cluster and tests/e2e have a real one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from fink_distribution.cli.progress import Progress
from fink_distribution.cli.verify import in_kubernetes
from fink_distribution.cli.verify.asking import Asked, Unverified
from fink_distribution.errors import Reason, Waiting
from fink_distribution.streams.verification import Question

ANSWER = {"version": 1, "result": "equal"}
STREAM = {
    "apiVersion": "distribution.fink-broker.org/v1alpha1",
    "kind": "DistributionStream",
    "metadata": {"namespace": "fink", "name": "ztf", "uid": "u-1"},
    "spec": {
        "source": {"parquet": {"claimName": "science"}},
        "checkpoint": {"claimName": "checkpoint"},
        "outputs": [{"name": "all", "topicRef": {"name": "all"}}],
    },
}
CONTAINER = {"name": "driver", "image": "job:1", "args": ["driver"], "volumeMounts": []}
STATEFUL_SET = {"spec": {"template": {"spec": {"containers": [CONTAINER], "volumes": []}}}}


def pod(phase: str, **state: Any) -> dict[str, Any]:
    status = {"phase": phase, "containerStatuses": [{"ready": False, "restartCount": 0, "state": state}]}
    metadata = {"name": "ztf-verify-1-x", "namespace": "fink"}
    return {"metadata": metadata, "spec": {"containers": [CONTAINER]}, "status": status}


RUNNING = pod("Running", running={})


class Api:
    """Says what it is told to; remembers what was made and deleted."""

    def __init__(self, pods: list[Any], log: str = "", objects: Mapping[str, Any] | None = None) -> None:
        self.pods = pods
        self.text = log
        self.objects = {"DistributionStream": STREAM, "StatefulSet": STATEFUL_SET, **(objects or {})}
        self.made: list[dict[str, Any]] = []
        self.deleted: list[str] = []
        self.is_deaf = False

    async def get(self, api_version: str, kind: str, namespace: str, name: str) -> Any:
        return self.objects.get(kind)

    async def create(self, manifest: dict[str, Any]) -> dict[str, Any]:
        self.made.append(manifest)
        return manifest

    async def delete(self, body: Mapping[str, Any], api_version: str, kind: str) -> None:
        self.deleted.append(body["metadata"]["name"])
        if self.is_deaf:
            raise Waiting(Reason.DEPENDENCY_NOT_READY, "no answer")

    async def log(self, namespace: str, name: str, last_lines: int | None = None) -> str:
        return self.text

    async def listing(
        self, api_version: str, kind: str, namespace: str, labels: str = "", field_selector: str = ""
    ) -> AsyncIterator[Any]:
        if kind == "Event":
            yield {"message": "Multi-Attach error for volume"}
            return
        now = self.pods.pop(0) if len(self.pods) > 1 else self.pods[0]
        if isinstance(now, BaseException):
            raise now
        if now is not None:
            yield now


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_kubernetes, "_POLL_SECONDS", 0)


def ask(api: Api, *outputs: str) -> dict[str, Any]:
    asked = Asked("fink", "ztf", Question("2026-01-31T22:00:00Z", outputs))
    with Progress() as progress:
        return asyncio.run(in_kubernetes._Verification(api, asked, progress).run())  # type: ignore[arg-type]


@pytest.mark.parametrize("is_deaf", [False, True])
def test_the_answer_is_taken_from_the_log_and_the_job_deleted(is_deaf: bool) -> None:
    away = Waiting(Reason.DEPENDENCY_NOT_READY, "no answer from the API server")
    api = Api([None, pod("Pending"), RUNNING, away, pod("Succeeded")], f"a log\n{json.dumps(ANSWER)}\n")
    api.is_deaf = is_deaf
    assert ask(api) == ANSWER
    assert api.deleted == [job["metadata"]["name"] for job in api.made]
    assert len(api.made) == 1


def test_differences_are_an_answer_too() -> None:
    api = Api([pod("Failed", terminated={"exitCode": 1})], json.dumps({**ANSWER, "result": "different"}))
    assert ask(api)["result"] == "different"


@pytest.mark.parametrize(
    ("pods", "log", "said"),
    [
        ([pod("Failed", terminated={"exitCode": 2})], "x\nerror: The user may not read t.", "The user may not read t."),
        ([pod("Failed", terminated={"exitCode": 1})], "Traceback\nValueError: x", "ValueError: x"),
        ([pod("Failed", terminated={"exitCode": 137, "reason": "OOMKilled"})], "", "raise --memory above 2Gi"),
        (
            [pod("Pending", waiting={"reason": "ErrImagePull", "message": "no such image"})],
            "",
            "image job:1 cannot be had: no such image. Correct the stream's spec.image",
        ),
        ([pod("Succeeded")], "", "pod ztf-verify-1-x ended without a word"),
    ],
    ids=["refused", "crashed", "memory", "image", "silent"],
)
def test_why_there_is_no_answer_is_said_and_the_job_deleted(pods: list[Any], log: str, said: str) -> None:
    api = Api(pods, log)
    with pytest.raises(Unverified, match=said.replace(".", r"\.")):
        ask(api)
    assert len(api.deleted) == 1


@pytest.mark.parametrize(
    ("pods", "said"),
    [
        ([None], "has no pod: Multi-Attach"),
        ([pod("Pending")], "Multi-Attach error for volume The pod has to be on the driver's node"),
    ],
)
def test_a_pod_that_does_not_start_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch, pods: list[Any], said: str
) -> None:
    monkeypatch.setattr(in_kubernetes, "_PATIENCE", -1)
    api = Api(pods)
    with pytest.raises(Unverified, match=said):
        ask(api)
    assert len(api.deleted) == 1


def test_an_interruption_deletes_the_job() -> None:
    api = Api([asyncio.CancelledError()])
    with pytest.raises(asyncio.CancelledError):
        ask(api)
    assert len(api.deleted) == 1


@pytest.mark.parametrize(
    ("objects", "outputs", "said"),
    [
        ({"DistributionStream": None}, [], "DistributionStream fink/ztf does not exist"),
        ({"StatefulSet": None}, [], "has no StatefulSet ztf-driver yet"),
        ({}, ["sn"], "the stream has no output sn. It has: all."),
    ],
)
def test_what_is_not_there_is_said_before_anything_is_made(
    objects: dict[str, Any], outputs: list[str], said: str
) -> None:
    api = Api([None], objects=objects)
    with pytest.raises(Unverified, match=said):
        ask(api, *outputs)
    assert api.made == []
