"""What has to change in Kafka so that a user's SCRAM credential is as declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fink_distribution.errors import Reason, Stalled
from fink_distribution.resources.kafka_user import Credential, KafkaUser

ObservedUser = Mapping[str, int]
"""Mechanism -> iterations, as Kafka shows it; it never shows the password. Empty when there is no such user."""


@dataclass(frozen=True)
class UpsertCredential:
    """Write the credential."""

    user: str
    mechanism: str
    iterations: int

    def __str__(self) -> str:
        return f"user {self.user}: write the {self.mechanism} credential ({self.iterations} iterations)"


@dataclass(frozen=True)
class DeleteCredential:
    """Remove the credential of one mechanism."""

    user: str
    mechanism: str

    def __str__(self) -> str:
        return f"user {self.user}: remove the {self.mechanism} credential"


@dataclass(frozen=True)
class WriteSecret:
    """Create the user's Secret, or put it right."""

    name: str
    exists: bool

    def __str__(self) -> str:
        return f"Secret {self.name}: {'put right' if self.exists else 'create'}"


UserChange = UpsertCredential | DeleteCredential


def refuse_foreign(declared: KafkaUser, observed: ObservedUser) -> None:
    """Refuse to touch a user that this resource did not make, unless it is to be adopted.

    Raises
    ------
    Stalled
        The user exists and the status does not record it as ours.
    """
    if observed and not declared.is_ours and declared.adoption_policy != "Adopt":
        raise Stalled(
            Reason.CONFLICT,
            f"user {declared.name} exists in Kafka already and was not made by this resource, so it is left alone. Choose "
            "another userName, or set adoptionPolicy: Adopt: its credential is then written anew, and clients need the password of the "
            "Secret.",
        )


def password_is_applied(declared: KafkaUser, password_hash: str) -> bool:
    """Say whether the status records that this password is the one that was last written, as it is declared."""
    return declared.written == Credential(password_hash, declared.mechanism, declared.iterations)


def plan_user(declared: KafkaUser, observed: ObservedUser, password_is_applied: bool) -> tuple[UserChange, ...]:
    """Compare a declared user with what Kafka has.

    Parameters
    ----------
    password_is_applied
        Whether the password that the Secret holds is the one that was last written to Kafka.
    """
    changes: list[UserChange] = []
    if observed.get(declared.mechanism) != declared.iterations or not password_is_applied:
        changes.append(UpsertCredential(declared.name, declared.mechanism, declared.iterations))
    wanted = {declared.mechanism, declared.kept_mechanism}
    others = sorted(mechanism for mechanism in observed if mechanism not in wanted)
    changes += [DeleteCredential(declared.name, mechanism) for mechanism in others]
    return tuple(changes)
