"""`spec.mode`: whether a resource changes Kafka, shows what it would change, or only looks."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from fink_distribution.errors import Reason
from fink_distribution.resources.conditions import State, Verdict
from fink_distribution.resources.keys import Body

PLAN_LINES = 20
"""How many changes stand in status.plan; more are counted in its last line."""

_LINE_LENGTH = 512


class Mode(StrEnum):
    """What a resource does to Kafka."""

    ENFORCE = "Enforce"
    PLAN = "Plan"
    OBSERVE = "Observe"


def mode_of(body: Body) -> Mode:
    """Return the resource's mode."""
    return Mode(body["spec"].get("mode", Mode.ENFORCE))


def is_enforced(body: Body) -> bool:
    """Say whether the resource may change anything."""
    return mode_of(body) is Mode.ENFORCE


def plan_lines(changes: Sequence[object]) -> list[str]:
    """Return a plan as it stands in status.plan: a line a change, bounded."""
    lines = [" ".join(str(change).split())[:_LINE_LENGTH] for change in changes]
    if len(lines) <= PLAN_LINES:
        return lines
    shown = lines[: PLAN_LINES - 1]
    return [*shown, f"and {len(lines) - len(shown)} more"]


def plan_facts(mode: Mode, changes: Sequence[object]) -> dict[str, list[str]]:
    """Return what stands in the status of a plan: nothing in mode Observe or when there is nothing to change."""
    return {"plan": plan_lines(changes)} if mode is Mode.PLAN and changes else {}


def without_plan(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts of a status but for an earlier plan."""
    return {key: value for key, value in facts.items() if key != "plan"}


def verdict(mode: Mode, what: str, changes: Sequence[object]) -> Verdict:
    """Return the verdict of a resource that changes nothing: it has done all that it was asked to, so it is Ready.

    Parameters
    ----------
    what
        What was looked at, as in "topic x (3 partitions)".
    changes
        The plan; not shown in mode Observe.
    """
    if mode is Mode.OBSERVE:
        return Verdict(State.READY, Reason.OBSERVED, f"{what} is only looked at (mode: Observe).")
    if not changes:
        return Verdict(State.READY, Reason.IN_SYNC, f"{what} is as declared; mode: Enforce would change nothing.")
    return Verdict(
        State.READY,
        Reason.CHANGES_PLANNED,
        f"{what}: mode: Enforce would make {len(changes)} change(s): {'; '.join(plan_lines(changes))}",
    )
