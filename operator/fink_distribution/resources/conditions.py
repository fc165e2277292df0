"""Conditions as kstatus, Flux and Argo CD read them: Ready always; Reconciling or Stalled only while true, never both.

See https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fink_distribution.errors import ReconcileError, Stalled

_MESSAGE_LIMIT = 4096


class State(StrEnum):
    """What the conditions say, in one word."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"


@dataclass(frozen=True)
class Verdict:
    """What a reconcile found, before it is written as conditions."""

    state: State
    reason: str
    message: str

    @classmethod
    def of_error(cls, error: ReconcileError) -> Verdict:
        """Return the verdict of an error."""
        return cls(State.STALLED if isinstance(error, Stalled) else State.RECONCILING, error.reason, error.message)


@dataclass(frozen=True)
class Finding:
    """A condition beside Ready."""

    kind: str
    status: str
    reason: str
    message: str


def conditions(
    verdict: Verdict,
    generation: int,
    previous: Sequence[Mapping[str, Any]],
    now: str,
    findings: Sequence[Finding] = (),
) -> list[dict[str, Any]]:
    """Write a verdict as conditions.

    Parameters
    ----------
    previous
        The conditions that stand in the status now; a condition whose status stays keeps its lastTransitionTime.
    findings
        Further conditions. One that stands in the status and is not found anew stays as it is.
    now
        RFC 3339 time.
    """
    ready = "True" if verdict.state is State.READY else "False"
    wanted = [Finding("Ready", ready, verdict.reason, verdict.message)]
    if verdict.state is not State.READY:
        wanted.append(Finding(verdict.state.value, "True", verdict.reason, verdict.message))
    wanted += findings
    before = {condition["type"]: condition for condition in previous}
    written = []
    for finding in wanted:
        old = before.get(finding.kind, {})
        moved = old.get("status") != finding.status
        written.append(
            {
                "type": finding.kind,
                "status": finding.status,
                "reason": finding.reason,
                "message": " ".join(finding.message.split())[:_MESSAGE_LIMIT],
                "observedGeneration": generation,
                "lastTransitionTime": now if moved else old["lastTransitionTime"],
            }
        )
    settled = {finding.kind for finding in wanted} | set(State)
    return written + [dict(condition) for kind, condition in before.items() if kind not in settled]


def condition(body: Mapping[str, Any], kind: str) -> Mapping[str, Any] | None:
    """Return one condition of an object, or None."""
    found = (body.get("status") or {}).get("conditions") or []
    return next((each for each in found if each["type"] == kind), None)


def is_ready(body: Mapping[str, Any]) -> bool:
    """Say whether an object is Ready for the generation that it has."""
    ready = condition(body, "Ready")
    generation = body["metadata"].get("generation")
    return bool(
        ready and ready["status"] == "True" and (body.get("status") or {}).get("observedGeneration") == generation
    )


def why_not_ready(body: Mapping[str, Any]) -> str:
    """Return why an object is not Ready, to be part of another's message."""
    ready = condition(body, "Ready")
    if ready is None or ready["status"] == "True":
        return "it has not been looked at yet"
    return f"{ready['reason']}: {ready['message'].rstrip('.')}"
