"""Verification as a Job beside the stream's driver: made, followed, and deleted."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fink_distribution.cli.progress import Progress
from fink_distribution.cli.verify.asking import Asked, Unverified, answer, errors, step
from fink_distribution.errors import ReconcileError, Waiting
from fink_distribution.resources.conditions import State, condition
from fink_distribution.resources.distribution_stream import DistributionStream
from fink_distribution.resources.keys import API_VERSION, Kind
from fink_distribution.streams.pods import Advice, container, trouble
from fink_distribution.streams.verification import advice, verification_job

if TYPE_CHECKING:
    from fink_distribution.cluster.api import Cluster

_REQUEST_SECONDS = 30
_POLL_SECONDS = 1.0
_LINES = 50  # of the log, of which Spark writes most while it starts
_PATIENCE = 120.0
"""Seconds for a pod to find a node, and to have its volumes."""

_ENDED = ("Succeeded", "Failed")
_OWN_STATUSES = (1, 2)
"""With which the job ends when it has said why."""

_REMEDY = (
    "fink verify needs, in this namespace: get on distributionstreams and statefulsets; create and delete on jobs; get and list on pods; get on pods/log; "
    "list on events. The ClusterRole edit has all (docs/permissions.md)."
)


async def ask(asked: Asked, kubeconfig: str | None) -> dict[str, Any]:
    """Have it counted, and return the answer.

    Raises
    ------
    Unverified
        There is none.
    """
    # The Kubernetes client takes a second to import, which `fink --help` need not pay.
    from fink_distribution.cluster.api import AlreadyExists, Cluster, Gone, NotConfigured

    try:
        async with Cluster.connect(_REQUEST_SECONDS, kubeconfig, remedy=_REMEDY) as cluster:
            with Progress() as progress:
                return await _Verification(cluster, asked, progress).run()
    except NotConfigured as error:
        raise Unverified(f"there is no kubeconfig ({error}). Name one by --kubeconfig or KUBECONFIG.") from None
    except ReconcileError as error:
        raise Unverified(error.message) from None
    except (AlreadyExists, Gone) as error:
        raise Unverified(str(error)) from None


class _Verification:
    def __init__(self, cluster: Cluster, asked: Asked, progress: Progress) -> None:
        self._cluster = cluster
        self._namespace = asked.namespace
        self._name = asked.stream
        self._question = asked.question
        self._progress = progress
        self._step = ""

    async def run(self) -> dict[str, Any]:
        self._say(f"looking at the stream {self._name}")
        body = await self._cluster.get(API_VERSION, Kind.DISTRIBUTION_STREAM, self._namespace, self._name)
        if body is None:
            raise Unverified(
                f"the DistributionStream {self._namespace}/{self._name} does not exist; `kubectl get dstream -A` lists all."
            )
        stream = DistributionStream.of(body)
        self._check_outputs(stream)
        stateful_set = await self._cluster.get("apps/v1", "StatefulSet", self._namespace, stream.driver_name)
        if stateful_set is None:
            ready = condition(body, "Ready") or {}
            raise Unverified(
                f"the stream {self._name} has no StatefulSet {stream.driver_name} yet, and has published nothing: "
                f"{ready.get('message', 'the operator has said nothing about it')}"
            )
        driver = await self._cluster.get("v1", "Pod", self._namespace, stream.driver_pod)
        job = await self._cluster.create(
            verification_job(body, stateful_set, self._question, secrets.token_hex(3), beside_driver=driver is not None)
        )
        try:
            async with asyncio.timeout(self._question.timeout):
                return await self._follow(stream, job)
        except TimeoutError:
            raise Unverified(
                f"not done after {self._question.timeout} s; the last that was said: {self._step} Give a later --since, one output by --only, or a "
                "longer --timeout."
            ) from None
        finally:
            # Where that fails, Kubernetes does it an hour after the Job's end.
            with contextlib.suppress(ReconcileError):
                await self._cluster.delete(job, "batch/v1", "Job")

    def _check_outputs(self, stream: DistributionStream) -> None:
        known = [output.name for output in stream.outputs]
        if unknown := [name for name in self._question.outputs if name not in known]:
            raise Unverified(f"the stream has no output {', '.join(unknown)}. It has: {', '.join(known)}.")

    async def _follow(self, stream: DistributionStream, job: Mapping[str, Any]) -> dict[str, Any]:
        name, about, began = job["metadata"]["name"], advice(stream, self._question), time.monotonic()
        while True:
            try:
                pod = await self._pod(name)
                if pod is not None and pod["status"].get("phase") in _ENDED:
                    return await self._answer(pod, about)
                await self._look(name, pod, about, is_late=time.monotonic() - began > _PATIENCE)
            except Waiting as error:
                self._say(error.message)  # the API server is away, and the Job goes on
            await asyncio.sleep(_POLL_SECONDS)

    async def _answer(self, pod: Mapping[str, Any], about: Advice) -> dict[str, Any]:
        said = await self._cluster.log(self._namespace, pod["metadata"]["name"])
        found = answer(said)
        if found is None:
            raise Unverified(_why(pod, said, about))
        return found

    async def _look(self, job: str, pod: Mapping[str, Any] | None, about: Advice, *, is_late: bool) -> None:
        """Say how far it is, or raise Unverified when it will come to nothing."""
        if pod is None:
            if is_late:
                raise Unverified(f"the Job {job} has no pod: {await self._warning(job)}")
            self._say(f"waiting for the pod of the Job {job}")
            return
        name = pod["metadata"]["name"]
        if pod["status"].get("phase") == "Running":
            self._say(step(await self._cluster.log(self._namespace, name, _LINES)) or "counting")
            return
        verdict = trouble(pod, about)
        text = verdict.message if verdict is not None else f"pod {name} is starting."
        if is_late or (verdict is not None and verdict.state is State.STALLED):
            raise Unverified(_stuck(text, await self._warning(name)) if is_late else text)
        self._say(text)

    def _say(self, step: str) -> None:
        if step != self._step:
            self._progress.say(step)
        self._step = step

    async def _pod(self, job: str) -> dict[str, Any] | None:
        labels = f"batch.kubernetes.io/job-name={job}"
        async for pod in self._cluster.listing("v1", "Pod", self._namespace, labels):
            return pod
        return None

    async def _warning(self, name: str) -> str:
        """Return what Kubernetes has said last about an object that is in trouble."""
        fields = f"involvedObject.name={name},type=Warning"
        found = [each async for each in self._cluster.listing("v1", "Event", self._namespace, field_selector=fields)]
        return found[-1].get("message", "") if found else "no event says why."


def _why(pod: Mapping[str, Any], said: str, about: Advice) -> str:
    ended = (container(pod).get("state") or {}).get("terminated") or {}
    verdict = trouble(pod, about)
    is_explained = ended.get("exitCode") in _OWN_STATUSES and said.strip()
    if verdict is not None and verdict.state is State.STALLED and not is_explained:
        return verdict.message
    return errors(said) or f"pod {pod['metadata']['name']} ended without a word."


def _stuck(text: str, warning: str) -> str:
    return (
        f"{text} {warning} The pod has to be on the driver's node, since it mounts the checkpoint's volume, which one node alone may have "
        "mounted (ReadWriteOnce). Make room there, ask for less with --memory, or suspend the stream meanwhile."
    )
