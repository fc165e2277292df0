"""Conditions as kstatus, Flux and Argo CD read them: Ready always; Reconciling or Stalled only while true, never both. A kind's own
conditions may stand beside them; these tools take no notice of others than the three.

See https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fink_distribution.errors import Reason, ReconcileError, Stalled

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

    @classmethod
    def of_unexpected_error(cls) -> Verdict:
        """Return the verdict of an error that is none of ours."""
        text = "an error that the operator does not know; its log has the traceback. It is tried again by itself."
        return cls(State.RECONCILING, Reason.INTERNAL_ERROR, text)


@dataclass(frozen=True)
class Finding:
    """A condition of a kind's own that stands beside Ready and does not change it.

    Attributes
    ----------
    status
        True, False or Unknown, as Kubernetes writes it.
    """

    type: str
    status: str
    reason: str
    message: str


def conditions(
    verdict: Verdict, generation: int, previous: Sequence[Mapping[str, Any]], now: str, findings: Sequence[Finding] = ()
) -> list[dict[str, Any]]:
    """Write a verdict as conditions.

    Parameters
    ----------
    previous
        The conditions that stand in the status now; a condition whose status stays keeps its lastTransitionTime. Those of the kind's
        own that are not in `findings` stay as they are.
    now
        RFC 3339 time.
    findings
        News of the kind's own conditions.
    """
    ready = "True" if verdict.state is State.READY else "False"
    wanted = [Finding("Ready", ready, verdict.reason, verdict.message)]
    if verdict.state is not State.READY:
        wanted.append(Finding(verdict.state.value, "True", verdict.reason, verdict.message))
    kept = [dict(each) for each in previous if each["type"] not in {*State, *(news.type for news in findings)}]
    before = {each["type"]: each for each in previous}
    return [
        *(_written(each, generation, before.get(each.type, {}), now) for each in wanted),
        *sorted(
            [*kept, *(_written(each, generation, before.get(each.type, {}), now) for each in findings)],
            key=lambda each: str(each["type"]),
        ),
    ]


def _written(news: Finding, generation: int, old: Mapping[str, Any], now: str) -> dict[str, Any]:
    return {
        "type": news.type,
        "status": news.status,
        "reason": str(news.reason),
        "message": " ".join(news.message.split())[:_MESSAGE_LIMIT],
        "observedGeneration": generation,
        "lastTransitionTime": old["lastTransitionTime"] if old.get("status") == news.status else now,
    }


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
