"""How a stream is, from its pods and from what its driver says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fink_distribution.errors import Reason
from fink_distribution.resources.conditions import State, Verdict
from fink_distribution.resources.distribution_stream import DistributionStream
from fink_distribution.streams.pods import Advice, Pod, reconciling, stalled, trouble, unschedulable

_MENDED_BY_TIME = {"RegistryUnavailable"}
"""The reasons of outputs that nobody need change anything for."""


def verdict(
    stream: DistributionStream, driver: Pod | None, executors: Sequence[Pod], progress: Mapping[str, Any] | None
) -> Verdict:
    """Say how the stream is.

    Parameters
    ----------
    driver
        The driver's pod, or None when there is none.
    progress
        status.progress, which the driver writes.
    """
    if stream.suspend:
        if driver is not None:
            return reconciling(Reason.TERMINATING, f"suspended: pod {stream.driver_pod} ends its batch.")
        return Verdict(
            State.READY,
            Reason.SUSPENDED,
            "suspended: no pod runs, the checkpoint is kept; set suspend: false to go on.",
        )
    if driver is None:
        return reconciling(
            Reason.PODS_STARTING,
            f"StatefulSet {stream.driver_name} has no pod yet. If this lasts, see: kubectl describe statefulset {stream.driver_name} "
            f"-n {stream.namespace}",
        )
    return (
        trouble(driver, _advice(stream))
        or _progress_trouble(stream, progress)
        or _executor_trouble(executors)
        or _running(stream, executors, progress)
    )


def _advice(stream: DistributionStream) -> Advice:
    return Advice("spec.image", "spec.driver.memory", stream.driver.memory, "ends its batch")


def _progress_trouble(stream: DistributionStream, progress: Mapping[str, Any] | None) -> Verdict | None:
    progress = progress or {}
    if progress.get("lastErrorReason"):
        return stalled(
            Reason.SOURCE_FAILED,
            f"no batch can be distributed ({progress['lastErrorReason']}): {progress.get('lastError', '')}",
        )
    failed = [output for output in progress.get("outputs") or [] if output.get("reason")]
    if failed:
        rest = len(stream.outputs) - len(failed)
        told = "; ".join(
            f"output {output['name']} ({output['reason']}): {output.get('error', '')}"
            + (f" [{output['pendingFiles']} files wait]" if output.get("pendingFiles") else "")
            for output in failed
        )
        says = reconciling if all(output["reason"] in _MENDED_BY_TIME for output in failed) else stalled
        return says(Reason.OUTPUT_FAILED, f"{told} The {rest} other outputs go on; nothing is lost.")
    if count := progress.get("quarantinedFileCount"):
        files = "; ".join(
            f"{item['path']}: {item.get('reason', '')}" for item in progress.get("quarantinedFiles") or []
        )
        return stalled(
            Reason.SOURCE_FILE_CORRUPT,
            f"{count} files cannot be read and are left out: {files}. Replace them (a changed file is tried again) or remove them; all "
            "other files go on.",
        )
    return None


def _executor_trouble(executors: Sequence[Pod]) -> Verdict | None:
    return next((found for found in map(unschedulable, executors) if found), None)


def _running(stream: DistributionStream, executors: Sequence[Pod], progress: Mapping[str, Any] | None) -> Verdict:
    state = (progress or {}).get("state", "Starting")
    pods = (
        f"{_count(executors)} of {stream.executors.instances} executors"
        if stream.executors.instances
        else "no executors"
    )
    text = f"{state}: pod {stream.driver_pod} with {pods} publishes {len(stream.outputs)} outputs."
    return Verdict(State.READY, Reason.RUNNING, text)


def _count(executors: Sequence[Pod]) -> int:
    return sum((pod.get("status") or {}).get("phase") == "Running" for pod in executors)
