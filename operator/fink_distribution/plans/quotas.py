"""What has to change in Kafka so that a user's quotas are as declared (KIP-546, KIP-599)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

KAFKA_KEYS = {
    "producerByteRate": "producer_byte_rate",
    "consumerByteRate": "consumer_byte_rate",
    "requestPercentage": "request_percentage",
    "controllerMutationRate": "controller_mutation_rate",
}
"""The names of `spec.quotas`, and Kafka's."""

ObservedQuotas = Mapping[str, float]
"""Kafka's key -> value, of the entity that is this user alone, with no client id."""


@dataclass(frozen=True)
class AlterQuotas:
    """Set and unset quotas of one user, by Kafka's keys, leaving all others as they are."""

    user: str
    set: Mapping[str, int]
    unset: tuple[str, ...]

    def __str__(self) -> str:
        parts = [f"set {key} to {value}" for key, value in self.set.items()] + [f"unset {key}" for key in self.unset]
        return f"user {self.user}: {', '.join(parts)}"


def plan_quotas(
    user: str, declared: Mapping[str, int], owned: Mapping[str, int], observed: ObservedQuotas
) -> tuple[AlterQuotas, ...]:
    """Compare declared quotas with what Kafka has.

    Parameters
    ----------
    declared, owned
        By the names of `spec.quotas`: what is wanted, and what this resource has set before. A quota that is neither is somebody
        else's.
    """
    to_set = {
        KAFKA_KEYS[name]: value for name, value in sorted(declared.items()) if observed.get(KAFKA_KEYS[name]) != value
    }
    to_unset = tuple(
        KAFKA_KEYS[name] for name in sorted(owned) if name not in declared and KAFKA_KEYS[name] in observed
    )
    return (AlterQuotas(user, to_set, to_unset),) if to_set or to_unset else ()
