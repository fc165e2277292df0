"""When a KafkaUser's password is rotated, and how far a rotation is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from croniter import CroniterError, croniter

from fink_distribution.errors import Reason, Stalled
from fink_distribution.resources.rotation import RotationSpec, RotationState, other_mechanism


@dataclass(frozen=True)
class RotatePassword:
    """Make a new password for the other mechanism."""

    user: str
    mechanism: str
    because: str

    def __str__(self) -> str:
        return f"user {self.user}: rotate to a new password by {self.mechanism} ({self.because})"


def schedule_next(state: RotationState, wanted: RotationSpec, created: datetime, now: datetime) -> RotationState:
    """Reckon when the next rotation is due; a moment that was reckoned before, by the same schedule, stands.

    A cron schedule begins to count when it is first seen, so that it never rotates out of its hours; an interval counts from the
    last rotation, or from the user's creation.

    Raises
    ------
    Stalled
        The schedule is no cron expression, or one whose time never comes.
    """
    if state.planned == str(wanted) or (state.planned is None and not str(wanted)):
        return state
    if wanted.schedule is not None:
        due = _after(wanted.schedule, now)
    elif wanted.interval_days is not None:
        due = (state.rotated_at or created) + timedelta(days=wanted.interval_days)
    else:
        return replace(state, planned=None, next_at=None)
    return replace(state, planned=str(wanted), next_at=due)


def _after(schedule: str, moment: datetime) -> datetime:
    try:
        found: datetime = croniter(schedule, moment).get_next(datetime)
    except CroniterError as error:
        raise Stalled(
            Reason.INVALID_CONFIG,
            f'rotation.schedule "{schedule}" is not understood: {error}. Give five fields, minute, hour, day of the month, month and day of '
            'the week, in UTC, as in "0 3 1 * *".',
        ) from error
    return found


def settle(state: RotationState, declared: str, *, may_rotate: bool) -> RotationState:
    """Drop a rotation that what is declared now leaves no room for.

    Parameters
    ----------
    declared
        The mechanism that the spec names: when it has changed since the last rotation, the spec counts, at once.
    may_rotate
        Whether the operator makes the passwords; a brought one takes the place of one that was being prepared.
    """
    if state.declared is not None and state.declared != declared:
        return replace(state, declared=None, mechanism=None, previous=None, started_at=None, expires_at=None)
    if state.is_preparing and not may_rotate:
        return replace(state, mechanism=state.previous, previous=None, started_at=None)
    return state


def refuse_request(state: RotationState, request: str) -> RotationState:
    """Note a request that is not followed, so that it is refused once."""
    return replace(state, request=request)


def expire(state: RotationState, now: datetime) -> RotationState:
    """End the overlap once the old password's time is over."""
    if state.is_overlapping and state.expires_at is not None and now >= state.expires_at:
        return replace(state, previous=None, expires_at=None, started_at=None)
    return state


def plan_rotation(
    user: str, mechanism: str, state: RotationState, request: str | None, now: datetime
) -> RotatePassword | None:
    """Say whether to rotate now; one that has begun goes on, and the next waits until the old password has expired.

    Parameters
    ----------
    mechanism
        That of the password that the Secret holds.
    request
        The annotation's value now.
    """
    if state.is_preparing and state.mechanism is not None:
        return RotatePassword(user, state.mechanism, "begun before")
    if state.is_overlapping:
        return None
    if request is not None and request != state.request:
        return RotatePassword(user, other_mechanism(mechanism), "asked for by the annotation")
    if state.next_at is not None and now >= state.next_at:
        return RotatePassword(user, other_mechanism(mechanism), f"due by {state.planned}")
    return None


def begin(
    state: RotationState, declared: str, change: RotatePassword, request: str | None, now: datetime
) -> RotationState:
    """Return the state to be written down before anything is changed."""
    if state.is_preparing:
        return state
    return replace(
        state,
        declared=declared,
        mechanism=change.mechanism,
        previous=other_mechanism(change.mechanism),
        started_at=now,
        expires_at=None,
        request=request,
    )


def switched(state: RotationState, wanted: RotationSpec, created: datetime, now: datetime) -> RotationState:
    """Return the state once the Secret has the new password."""
    done = replace(state, expires_at=now + timedelta(seconds=wanted.grace_seconds), rotated_at=now, planned=None)
    return schedule_next(done, wanted, created, now)


def look_again_seconds(state: RotationState, now: datetime) -> float | None:
    """Return after how many seconds there is something to do; None when nothing is due, or something else has to happen before."""
    due = state.expires_at if state.is_overlapping else state.next_at
    if due is None or state.is_preparing:
        return None
    return max(1.0, (due - now).total_seconds())
