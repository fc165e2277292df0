"""Waiting until all is Ready, and saying meanwhile what is awaited and why."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from demo.cluster import Cluster, ClusterError

GROUP = "distribution.fink-broker.org"
KINDS = ",".join(
    f"{plural}.{GROUP}"
    for plural in ("kafkaconnections", "alerttopics", "kafkausers", "kafkaacls", "distributionstreams")
)
_BROKEN = {"CrashLoopBackOff", "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName"}
QUIET_SECONDS = 2.0
SIGN_OF_LIFE_SECONDS = 15.0
PAUSE = 1.0
# What a person has to mend can still mend itself while everything is being made at once.
STALLED_SECONDS = 30.0


@dataclass(frozen=True)
class Health:
    """A resource's Ready condition."""

    name: str
    ready: bool
    stalled: bool
    reason: str
    message: str

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Health:
        """Read an object's status as kubectl wait does, and its generation too."""
        status = body.get("status") or {}
        conditions = {each["type"]: each for each in status.get("conditions") or []}
        ready = conditions.get("Ready") or {}
        return cls(
            name=f"{body['kind']} {body['metadata']['name']}",
            ready=ready.get("status") == "True"
            and status.get("observedGeneration") == body["metadata"].get("generation"),
            stalled="Stalled" in conditions,
            reason=ready.get("reason", "NotSeenYet"),
            message=ready.get("message", "the operator has not looked at it yet"),
        )


def look(cluster: Cluster, namespaces: Iterable[str]) -> list[Health]:
    """All resources of ours in these namespaces."""
    wanted = set(namespaces)
    found = cluster.items(KINDS, "--all-namespaces")
    return [Health.of(body) for body in found if body["metadata"]["namespace"] in wanted]


def operator_trouble(cluster: Cluster, namespace: str) -> str | None:
    """Why the operator's pod does not run, when it is nothing that time mends."""
    for pod in cluster.items(
        "pods", "--namespace", namespace, "--selector", "app.kubernetes.io/name=fink-distribution"
    ):
        for container in (pod.get("status") or {}).get("containerStatuses") or []:
            waiting = (container.get("state") or {}).get("waiting") or {}
            if waiting.get("reason") in _BROKEN:
                return f"The operator's pod does not run: {waiting['reason']}: {waiting.get('message', '')}"
    return None


def wait(
    cluster: Cluster, namespaces: Iterable[str], awaited: Iterable[str], say: Callable[..., None], seconds: float
) -> None:
    """Until each of `awaited` ("Kind name") and all others there are Ready.

    The first of the namespaces is the operator's. Raises ClusterError with what is not Ready, and its reason.
    """
    names, spaces = set(awaited), tuple(namespaces)
    began = time.monotonic()
    said = 0.0
    told: dict[str, str] = {}
    stalled_since: dict[str, float] = {}
    while True:
        seconds_gone = time.monotonic() - began
        found = look(cluster, spaces)
        waiting = [health for health in found if not health.ready]
        missing = names - {health.name for health in found}
        if not waiting and not missing:
            return
        if seconds_gone > QUIET_SECONDS:
            if _tell(waiting, told, say, seconds_gone):
                said = seconds_gone
            elif seconds_gone - said > SIGN_OF_LIFE_SECONDS:
                said = seconds_gone
                say(f"{seconds_gone:3.0f} s  still waits for {_brief(waiting)}", "dim")
            trouble = operator_trouble(cluster, spaces[0])
            if trouble:
                raise ClusterError(trouble)
        stalled_since = {
            health.name: stalled_since.get(health.name, seconds_gone) for health in waiting if health.stalled
        }
        if any(seconds_gone - since > STALLED_SECONDS for since in stalled_since.values()):
            raise ClusterError(
                f"Only a person can mend this: {_brief(health for health in waiting if health.stalled)}."
            )
        if seconds_gone > seconds:
            absent = f"; not there: {', '.join(sorted(missing))}" if missing else ""
            raise ClusterError(f"Not Ready after {seconds:.0f} s: {_brief(waiting)}{absent}.")
        time.sleep(PAUSE)


def _brief(found: Iterable[Health]) -> str:
    return ", ".join(f"{health.name} ({health.reason})" for health in found)


def _tell(waiting: Iterable[Health], told: dict[str, str], say: Callable[..., None], seconds: float) -> bool:
    """Say each new reason once, those that share one in one line; whether there was any."""
    news: dict[str, list[str]] = {}
    for health in waiting:
        if told.get(health.name) != health.reason:
            told[health.name] = health.reason
            news.setdefault(f"{health.reason}: {health.message}", []).append(health.name)
    for why, names in news.items():
        rest = f" and {len(names) - 1} more" if len(names) > 1 else ""
        say(f"{seconds:3.0f} s  {names[0]}{rest}: {why}", "dim")
    return bool(news)
