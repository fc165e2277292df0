"""What is wrong with a pod, in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fink_distribution.errors import Reason
from fink_distribution.resources.conditions import State, Verdict

Pod = Mapping[str, Any]

_PULL_FAILURES = {"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"}
_EXIT_BAD_CONFIG = 2
_EXIT_KILLED = 137
_LAST_WORDS = 800


@dataclass(frozen=True)
class Advice:
    """What a sentence about a pod has to know of where it comes from.

    Attributes
    ----------
    image_field, memory_field
        The fields of the stream that say which image it has, and how much memory.
    leaving
        What it does when it is told to end.
    """

    image_field: str
    memory_field: str
    memory: str
    leaving: str


def trouble(pod: Pod, advice: Advice) -> Verdict | None:
    """Say why a pod of one container is not ready; None if it is."""
    name = pod["metadata"]["name"]
    if pod["metadata"].get("deletionTimestamp"):
        return reconciling(
            Reason.PODS_STARTING, f"pod {name} {advice.leaving} and is then replaced by one of the new configuration."
        )
    found = container(pod)
    waiting = (found.get("state") or {}).get("waiting") or {}
    if waiting.get("reason") in _PULL_FAILURES:
        image = pod["spec"]["containers"][0]["image"]
        return stalled(
            Reason.IMAGE_PULL_FAILED,
            f"image {image} cannot be had: {waiting.get('message', waiting['reason'])}. Correct {advice.image_field} (or leave it out, for "
            "the operator's own), or make the image available to the nodes.",
        )
    if waiting.get("reason") == "CreateContainerConfigError":
        return reconciling(Reason.PODS_STARTING, f"pod {name} waits: {waiting.get('message', '')}")
    ended = (found.get("lastState") or {}).get("terminated") or (found.get("state") or {}).get("terminated")
    if ended and not found.get("ready") and ended.get("exitCode", 0) != 0:
        return stalled(Reason.POD_FAILED, _post_mortem(pod, found.get("restartCount", 0), ended, advice))
    without_node = unschedulable(pod)
    if without_node:
        return without_node
    if not found.get("ready"):
        return reconciling(Reason.PODS_STARTING, f"pod {name} is starting.")
    return None


def container(pod: Pod) -> Mapping[str, Any]:
    """Return the state of a pod's only container; empty before it has one."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    found: Mapping[str, Any] = next(iter(statuses), {})
    return found


def _post_mortem(pod: Pod, restarts: int, ended: Mapping[str, Any], advice: Advice) -> str:
    code, name, namespace = ended.get("exitCode"), pod["metadata"]["name"], pod["metadata"]["namespace"]
    if ended.get("reason") == "OOMKilled" or code == _EXIT_KILLED:
        cure = f"It ran out of memory or was killed: raise {advice.memory_field} above {advice.memory}."
    elif code == _EXIT_BAD_CONFIG:
        cure = "It refuses its configuration."
    else:
        cure = f"See: kubectl logs -n {namespace} {name} --previous"
    words = " ".join(str(ended.get("message") or "").split())[-_LAST_WORDS:]
    last = f" Its last words: {words}" if words else ""
    return f"pod {name} ended with exit status {code} ({restarts} restarts). {cure}{last}"


def unschedulable(pod: Pod) -> Verdict | None:
    """Say that a pod finds no node, if so."""
    for item in (pod.get("status") or {}).get("conditions") or []:
        if item["type"] == "PodScheduled" and item["status"] == "False":
            return reconciling(
                Reason.UNSCHEDULABLE,
                f"pod {pod['metadata']['name']} finds no node: {item.get('message', item.get('reason', ''))} Lower the cpu or memory "
                "asked for, or add nodes.",
            )
    return None


def stalled(reason: Reason, message: str) -> Verdict:
    """Return a verdict about what a person has to mend."""
    return Verdict(State.STALLED, reason, message)


def reconciling(reason: Reason, message: str) -> Verdict:
    """Return a verdict about what time will mend."""
    return Verdict(State.RECONCILING, reason, message)
