"""When a password is rotated, and how a rotation goes on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from fink_distribution.errors import Stalled
from fink_distribution.plans.rotation import (
    RotatePassword,
    begin,
    expire,
    look_again_seconds,
    plan_rotation,
    schedule_next,
    settle,
    switched,
)
from fink_distribution.resources.kafka_user import KafkaUser
from fink_distribution.resources.rotation import RotationSpec, RotationState

SHA512, SHA256 = "SCRAM-SHA-512", "SCRAM-SHA-256"
CREATED = datetime(2026, 1, 10, tzinfo=UTC)
NOW = datetime(2026, 3, 15, 12, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)
PREPARING = RotationState(declared=SHA512, mechanism=SHA256, previous=SHA512, started_at=NOW)
OVERLAPPING = replace(PREPARING, expires_at=NOW + HOUR)


@pytest.mark.parametrize(
    ("spec", "state", "next_at"),
    [
        (RotationSpec(), RotationState(), None),
        (RotationSpec(schedule="0 3 1 * *"), RotationState(), datetime(2026, 4, 1, 3, tzinfo=UTC)),
        (RotationSpec(schedule="*/15 * * * mon-fri"), RotationState(), datetime(2026, 3, 16, 0, 0, tzinfo=UTC)),
        (RotationSpec(interval_days=90), RotationState(), CREATED + timedelta(days=90)),
        (RotationSpec(interval_days=30), RotationState(rotated_at=NOW - HOUR), NOW - HOUR + timedelta(days=30)),
        (RotationSpec(interval_days=30), RotationState(), CREATED + timedelta(days=30)),  # overdue: now
        (RotationSpec(schedule="0 3 1 * *"), RotationState(planned="0 3 1 * *", next_at=NOW), NOW),  # stands
        (RotationSpec(), RotationState(planned="0 3 1 * *", next_at=NOW), None),
        (
            RotationSpec(schedule="0 4 1 * *"),
            RotationState(planned="0 3 1 * *", next_at=NOW),
            datetime(2026, 4, 1, 4, tzinfo=UTC),
        ),
    ],
)
def test_the_next_rotation(spec: RotationSpec, state: RotationState, next_at: datetime | None) -> None:
    assert schedule_next(state, spec, CREATED, NOW).next_at == next_at


@pytest.mark.parametrize("schedule", ["61 * * * *", "0 0 31 2 *", "* * * * foo", "* * * *"])
def test_a_schedule_that_is_none_is_refused(schedule: str) -> None:
    with pytest.raises(Stalled, match="is not understood") as refusal:
        schedule_next(RotationState(), RotationSpec(schedule=schedule), CREATED, NOW)
    assert f'rotation.schedule "{schedule}"' in refusal.value.message


@pytest.mark.parametrize(
    ("mechanism", "state", "request_", "plan"),
    [
        (SHA512, RotationState(), None, None),
        (SHA512, RotationState(), "a", (SHA256, "asked for by the annotation")),
        (SHA256, RotationState(), "a", (SHA512, "asked for by the annotation")),
        (SHA512, RotationState(request="a"), "a", None),
        (SHA512, RotationState(request="a"), None, None),
        (SHA512, RotationState(next_at=NOW + HOUR, planned="every 3 days"), None, None),
        (SHA512, RotationState(next_at=NOW, planned="every 3 days"), None, (SHA256, "due by every 3 days")),
        (SHA512, PREPARING, None, (SHA256, "begun before")),
        (SHA512, replace(PREPARING, request="a"), "b", (SHA256, "begun before")),
        (SHA256, OVERLAPPING, "b", None),
        (SHA256, replace(OVERLAPPING, next_at=NOW), None, None),
    ],
)
def test_rotation_plan(
    mechanism: str, state: RotationState, request_: str | None, plan: tuple[str, str] | None
) -> None:
    found = plan_rotation("u", mechanism, state, request_, NOW)
    assert found == (RotatePassword("u", *plan) if plan else None)


def user(state: RotationState, kind: str = "ScramSha512") -> KafkaUser:
    spec: dict[str, Any] = {"authentication": {"type": kind}}
    return KafkaUser.of({"metadata": {"name": "u"}, "spec": spec, "status": {"rotation": state.facts()}})


@pytest.mark.parametrize(
    ("state", "kind", "mechanism", "kept"),
    [
        (RotationState(), "ScramSha512", SHA512, None),
        (PREPARING, "ScramSha512", SHA512, SHA256),
        (OVERLAPPING, "ScramSha512", SHA256, SHA512),
        (expire(OVERLAPPING, NOW + HOUR), "ScramSha512", SHA256, None),
        (OVERLAPPING, "ScramSha256", SHA256, None),  # the spec has changed: it counts, at once
        (PREPARING, "ScramSha256", SHA256, None),
    ],
)
def test_which_credential_counts_and_which_is_kept(
    state: RotationState, kind: str, mechanism: str, kept: str | None
) -> None:
    assert (user(state, kind).mechanism, user(state, kind).kept_mechanism) == (mechanism, kept)


def test_a_rotation_from_end_to_end() -> None:
    spec = RotationSpec(interval_days=30, grace_seconds=3600)
    state = schedule_next(RotationState(), spec, CREATED, NOW)
    change = plan_rotation("u", SHA512, state, None, NOW)
    assert change is not None
    state = begin(state, SHA512, change, None, NOW)
    assert state.is_preparing
    assert begin(state, SHA512, change, "later", NOW + HOUR) == state
    assert look_again_seconds(state, NOW) is None
    assert RotationState.of(state.facts()) == state
    state = switched(state, spec, CREATED, NOW)
    assert state.is_overlapping
    assert state.next_at == NOW + timedelta(days=30)
    assert look_again_seconds(state, NOW) == 3600
    assert expire(state, NOW + HOUR - timedelta(seconds=1)) == state
    state = expire(state, NOW + HOUR)
    assert (state.previous, state.expires_at, state.started_at) == (None, None, None)
    assert state.rotated_at == NOW
    assert plan_rotation("u", SHA256, state, None, NOW + HOUR) is None


def test_a_rotation_is_dropped_when_there_is_no_room_for_it_any_more() -> None:
    assert settle(OVERLAPPING, SHA512, may_rotate=True) == OVERLAPPING
    assert settle(OVERLAPPING, SHA256, may_rotate=True).facts() == {}
    brought = settle(PREPARING, SHA512, may_rotate=False)
    assert (user(brought).mechanism, user(brought).kept_mechanism) == (SHA512, None)
