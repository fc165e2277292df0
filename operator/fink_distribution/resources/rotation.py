"""Rotation of a KafkaUser's password: what the spec asks for, and what the status remembers of it.

Kafka keeps one credential per mechanism, so a user can have two passwords at once: the new one by the other mechanism, beside the
old one until it has expired (docs/decisions/0006-two-mechanisms.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fink_distribution.resources.keys import GROUP, Body

ROTATE_ANNOTATION = f"{GROUP}/rotate"
"""Set it to any new value to have the password rotated; `fink rotate` does."""

GRACE_SECONDS = 86_400

_OTHER = {"SCRAM-SHA-512": "SCRAM-SHA-256", "SCRAM-SHA-256": "SCRAM-SHA-512"}


def other_mechanism(mechanism: str) -> str:
    """Return the mechanism that the next password is for."""
    return _OTHER[mechanism]


def rotation_request(body: Body) -> str | None:
    """Return the annotation's value."""
    found: str | None = (body["metadata"].get("annotations") or {}).get(ROTATE_ANNOTATION)
    return found


def written_time(moment: datetime) -> str:
    """Return a time as Kubernetes writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_time(text: str | None) -> datetime | None:
    """Return a time that Kubernetes has written."""
    return datetime.fromisoformat(text) if text else None


@dataclass(frozen=True)
class RotationSpec:
    """`spec.rotation`: when to rotate by itself, and for how long the old password goes on."""

    schedule: str | None = None
    interval_days: int | None = None
    grace_seconds: int = GRACE_SECONDS

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> RotationSpec:
        """Read `spec.rotation`."""
        return cls(spec.get("schedule"), spec.get("intervalDays"), spec.get("graceSeconds", GRACE_SECONDS))

    def __str__(self) -> str:
        if self.schedule is not None:
            return self.schedule
        return f"every {self.interval_days} days" if self.interval_days is not None else ""


@dataclass(frozen=True)
class RotationState:
    """`status.rotation`.

    It goes from resting (no `previous`) by preparing (`previous`, no `expires_at`: the Secret still has the old password) to
    overlapping (the Secret has the new one, the old one works until `expires_at`), and back.

    Attributes
    ----------
    declared
        The mechanism that the spec named when it was last rotated; when the spec names another now, the spec counts.
    mechanism
        The mechanism of the newest password.
    previous
        The mechanism of the password before.
    request
        The annotation's value that was last acted on.
    planned
        The schedule that `next_at` was reckoned by.
    """

    declared: str | None = None
    mechanism: str | None = None
    previous: str | None = None
    started_at: datetime | None = None
    expires_at: datetime | None = None
    rotated_at: datetime | None = None
    next_at: datetime | None = None
    planned: str | None = None
    request: str | None = None

    @classmethod
    def of(cls, status: Mapping[str, Any]) -> RotationState:
        """Read `status.rotation`."""
        return cls(
            declared=status.get("declaredMechanism"),
            mechanism=status.get("mechanism"),
            previous=status.get("previousMechanism"),
            started_at=read_time(status.get("startedAt")),
            expires_at=read_time(status.get("expiresAt")),
            rotated_at=read_time(status.get("rotatedAt")),
            next_at=read_time(status.get("nextAt")),
            planned=status.get("schedule"),
            request=status.get("request"),
        )

    @property
    def is_preparing(self) -> bool:
        """Whether the new password is being made, and the Secret still has the old one."""
        return self.previous is not None and self.expires_at is None

    @property
    def is_overlapping(self) -> bool:
        """Whether both passwords work, and the Secret has the new one."""
        return self.previous is not None and self.expires_at is not None

    def facts(self) -> dict[str, Any]:
        """Return it as it stands in the status."""
        times = {
            "startedAt": self.started_at,
            "expiresAt": self.expires_at,
            "rotatedAt": self.rotated_at,
            "nextAt": self.next_at,
        }
        words = {
            "declaredMechanism": self.declared,
            "mechanism": self.mechanism,
            "previousMechanism": self.previous,
            "schedule": self.planned,
            "request": self.request,
            **{name: written_time(moment) for name, moment in times.items() if moment is not None},
        }
        return {name: value for name, value in words.items() if value is not None}
