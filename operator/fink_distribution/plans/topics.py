"""What has to change in Kafka so that a topic is as declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fink_distribution.errors import Reason, Stalled
from fink_distribution.resources.alert_topic import AlertTopic


@dataclass(frozen=True)
class ObservedTopic:
    """A topic as Kafka has it.

    Attributes
    ----------
    topic_id
        Kafka's id of the topic (KIP-516); a topic made anew under the same name has another.
    config
        The keys that are set on the topic itself, not those inherited from the broker.
    """

    name: str
    topic_id: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CreateTopic:
    """Create the topic."""

    name: str
    partitions: int | None
    replication_factor: int | None
    config: Mapping[str, str]

    def __str__(self) -> str:
        return f"create topic {self.name}"


@dataclass(frozen=True)
class AddPartitions:
    """Grow the topic."""

    name: str
    before: int
    total: int

    def __str__(self) -> str:
        return f"topic {self.name}: partitions {self.before} -> {self.total}"


@dataclass(frozen=True)
class AlterConfig:
    """Set keys, and return others to the broker's default."""

    name: str
    set: Mapping[str, str]
    reset: tuple[str, ...]

    def __str__(self) -> str:
        parts = [f"{key}={value}" for key, value in sorted(self.set.items())]
        parts += [f"{key} to the broker's default" for key in self.reset]
        return f"topic {self.name}: {', '.join(parts)}"


@dataclass(frozen=True)
class Adopt:
    """Take an existing topic over."""

    name: str
    topic_id: str

    def __str__(self) -> str:
        return f"adopt topic {self.name}"


TopicChange = CreateTopic | AddPartitions | AlterConfig | Adopt


def plan_topic(declared: AlertTopic, observed: ObservedTopic | None) -> tuple[TopicChange, ...]:
    """Compare a declared topic with what Kafka has.

    Raises
    ------
    Stalled
        The topic exists and is not this resource's, or was deleted and made anew by somebody else.
    """
    if observed is None:
        return (CreateTopic(declared.name, declared.partitions, declared.replication_factor, dict(declared.config)),)
    changes: list[TopicChange] = []
    if declared.ownership is None:
        if declared.adoption_policy != "Adopt":
            raise Stalled(
                Reason.CONFLICT,
                f"topic {declared.name} exists in Kafka already and was not made by this resource, so it is left alone. "
                "Set adoptionPolicy: Adopt to keep it as declared here from now on, or choose another topicName.",
            )
        changes.append(Adopt(declared.name, observed.topic_id))
    elif declared.topic_id and declared.topic_id != observed.topic_id:
        if declared.adoption_policy != "Adopt":
            raise Stalled(
                Reason.TOPIC_RECREATED,
                f"topic {declared.name} was deleted and created anew by somebody else (its id was {declared.topic_id}, is now "
                f"{observed.topic_id}), so it is left alone. Set adoptionPolicy: Adopt to take the new one over.",
            )
        changes.append(Adopt(declared.name, observed.topic_id))
    if declared.partitions is not None and declared.partitions > observed.partitions:
        changes.append(AddPartitions(declared.name, observed.partitions, declared.partitions))
    wanted = {key: value for key, value in declared.config.items() if _plain(observed.config.get(key)) != _plain(value)}
    reset = tuple(sorted((declared.config_keys - declared.config.keys()) & observed.config.keys()))
    if wanted or reset:
        changes.append(AlterConfig(declared.name, wanted, reset))
    return tuple(changes)


def shortfall(declared: AlertTopic, observed: ObservedTopic) -> Stalled | None:
    """Say what is declared but cannot be had; the rest is applied all the same."""
    if declared.partitions is not None and declared.partitions < observed.partitions:
        return Stalled(
            Reason.PARTITIONS_CANNOT_SHRINK,
            f"partitions: {declared.partitions} is fewer than the {observed.partitions} that topic {observed.name} has; "
            f"Kafka cannot remove partitions. Set {observed.partitions} or more.",
        )
    wanted = declared.replication_factor
    if wanted is not None and wanted != observed.replication_factor:
        return Stalled(
            Reason.INVALID_CONFIG,
            f"replicationFactor: {wanted} is declared, but topic {observed.name} has {observed.replication_factor}; it is "
            f"not changed here. Set {observed.replication_factor}, or reassign the replicas with kafka-reassign-partitions.sh.",
        )
    return None


def _plain(value: str | None) -> str | None:
    """Kafka gives list values back with or without spaces after the commas."""
    return None if value is None else value.replace(", ", ",")
