"""How a stream is, from its pods and from what its driver says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fink_distribution.errors import Reason
from fink_distribution.resources.conditions import State, Verdict
from fink_distribution.resources.distribution_stream import DistributionStream

Pod = Mapping[str, Any]

_PULL_FAILURES = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
_MENDED_BY_TIME = {"RegistryUnavailable"}
"""The reasons of outputs that nobody need change anything for."""
_EXIT_BAD_CONFIG = 2
_EXIT_KILLED = 137
_LAST_WORDS = 800


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
            return _reconciling(Reason.TERMINATING, f"suspended: pod {stream.driver_pod} ends its batch.")
        return Verdict(
            State.READY,
            Reason.SUSPENDED,
            "suspended: no pod runs, the checkpoint is kept; set suspend: false to go on.",
        )
    if driver is None:
        return _reconciling(
            Reason.PODS_STARTING,
            f"StatefulSet {stream.driver_name} has no pod yet. If this lasts, see: kubectl describe statefulset {stream.driver_name} "
            f"-n {stream.namespace}",
        )
    return (
        _driver_trouble(stream, driver)
        or _progress_trouble(stream, progress)
        or _executor_trouble(executors)
        or _running(stream, executors, progress)
    )


def _driver_trouble(stream: DistributionStream, driver: Pod) -> Verdict | None:
    name = driver["metadata"]["name"]
    if driver["metadata"].get("deletionTimestamp"):
        return _reconciling(
            Reason.PODS_STARTING, f"pod {name} ends its batch and is then replaced by one of the new configuration."
        )
    container: Mapping[str, Any] = next(iter((driver.get("status") or {}).get("containerStatuses") or []), {})
    waiting = (container.get("state") or {}).get("waiting") or {}
    if waiting.get("reason") in _PULL_FAILURES:
        image = driver["spec"]["containers"][0]["image"]
        return _stalled(
            Reason.IMAGE_PULL_FAILED,
            f"image {image} cannot be had: {waiting.get('message', waiting['reason'])}. Correct spec.image (or leave it out, for the "
            "operator's own), or make the image available to the nodes.",
        )
    if waiting.get("reason") == "CreateContainerConfigError":
        return _reconciling(Reason.PODS_STARTING, f"pod {name} waits: {waiting.get('message', '')}")
    ended = (container.get("lastState") or {}).get("terminated") or (container.get("state") or {}).get("terminated")
    if ended and not container.get("ready") and ended.get("exitCode", 0) != 0:
        return _stalled(Reason.POD_FAILED, _post_mortem(stream, name, container.get("restartCount", 0), ended))
    unscheduled = _unschedulable(driver)
    if unscheduled:
        return unscheduled
    if not container.get("ready"):
        return _reconciling(Reason.PODS_STARTING, f"pod {name} is starting.")
    return None


def _post_mortem(stream: DistributionStream, pod: str, restarts: int, ended: Mapping[str, Any]) -> str:
    code = ended.get("exitCode")
    if ended.get("reason") == "OOMKilled" or code == _EXIT_KILLED:
        cure = f"It ran out of memory or was killed: raise spec.driver.memory above {stream.driver.memory}."
    elif code == _EXIT_BAD_CONFIG:
        cure = "It refuses its configuration."
    else:
        cure = f"See: kubectl logs -n {stream.namespace} {pod} --previous"
    words = " ".join(str(ended.get("message") or "").split())[-_LAST_WORDS:]
    last = f" Its last words: {words}" if words else ""
    return f"pod {pod} ended with exit status {code} ({restarts} restarts). {cure}{last}"


def _unschedulable(pod: Pod) -> Verdict | None:
    for item in (pod.get("status") or {}).get("conditions") or []:
        if item["type"] == "PodScheduled" and item["status"] == "False":
            return _reconciling(
                Reason.UNSCHEDULABLE,
                f"pod {pod['metadata']['name']} finds no node: {item.get('message', item.get('reason', ''))} Lower the cpu or memory "
                "asked for, or add nodes.",
            )
    return None


def _progress_trouble(stream: DistributionStream, progress: Mapping[str, Any] | None) -> Verdict | None:
    progress = progress or {}
    if progress.get("lastErrorReason"):
        return _stalled(
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
        says = _reconciling if all(output["reason"] in _MENDED_BY_TIME for output in failed) else _stalled
        return says(Reason.OUTPUT_FAILED, f"{told} The {rest} other outputs go on; nothing is lost.")
    if count := progress.get("quarantinedFileCount"):
        files = "; ".join(
            f"{item['path']}: {item.get('reason', '')}" for item in progress.get("quarantinedFiles") or []
        )
        return _stalled(
            Reason.SOURCE_FILE_CORRUPT,
            f"{count} files cannot be read and are left out: {files}. Replace them (a changed file is tried again) or remove them; all "
            "other files go on.",
        )
    return None


def _executor_trouble(executors: Sequence[Pod]) -> Verdict | None:
    return next((found for found in map(_unschedulable, executors) if found), None)


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


def _stalled(reason: Reason, message: str) -> Verdict:
    return Verdict(State.STALLED, reason, message)


def _reconciling(reason: Reason, message: str) -> Verdict:
    return Verdict(State.RECONCILING, reason, message)
