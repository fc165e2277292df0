"""What has to change in Kafka so that a topic is as declared."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field, replace

from fink_distribution.errors import Reason, Stalled
from fink_distribution.plans.replicas import Placement, Replicas, assign
from fink_distribution.plans.topic_config import is_same_value, unknown_keys
from fink_distribution.resources.alert_topic import AlertTopic


@dataclass(frozen=True)
class ObservedTopic:
    """A topic as Kafka has it.

    Attributes
    ----------
    topic_id
        Kafka's id of the topic (KIP-516); a topic made anew under the same name has another.
    replication_factor
        How many replicas the partition has that has the fewest.
    config
        The keys that are set on the topic itself, not those inherited from the broker.
    assignment
        The replicas of each partition, from partition 0 on; those that are only being filled are among them.
    known_keys
        All keys of configuration that the broker has for topics; empty when it was not asked.
    """

    name: str
    topic_id: str
    partitions: int
    replication_factor: int
    config: Mapping[str, str] = field(default_factory=dict)
    assignment: tuple[Replicas, ...] = ()
    known_keys: Set[str] = frozenset()


@dataclass(frozen=True)
class CreateTopic:
    """Create the topic."""

    name: str
    partitions: int | None
    replication_factor: int | None
    config: Mapping[str, str]

    def __str__(self) -> str:
        parts = [f"{self.partitions} partition(s)"] if self.partitions else []
        parts += [f"{self.replication_factor} replica(s)"] if self.replication_factor else []
        parts += [f"{key}={value}" for key, value in sorted(self.config.items())]
        return f"create topic {self.name}" + (f": {', '.join(parts)}" if parts else "")


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

    def by_key(self) -> tuple[AlterConfig, ...]:
        """Return the same as changes of one key each: Kafka refuses a request whole, even if a single value of it is wrong."""
        sets = tuple(AlterConfig(self.name, {key: value}, ()) for key, value in sorted(self.set.items()))
        return sets + tuple(AlterConfig(self.name, {}, (key,)) for key in self.reset)


@dataclass(frozen=True)
class ChangeReplicas:
    """Have more or fewer copies of each partition: a reassignment (KIP-455).

    Attributes
    ----------
    assignment
        The new replicas, by partition, of those partitions that change, none of one whose running reassignment is taken back; empty
        when the brokers were not asked for.
    """

    name: str
    before: int
    target: int
    assignment: Mapping[int, Replicas] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"topic {self.name}: replicas {self.before} -> {self.target}"


@dataclass(frozen=True)
class Adopt:
    """Take an existing topic over."""

    name: str
    topic_id: str

    def __str__(self) -> str:
        return f"adopt topic {self.name}"


TopicChange = CreateTopic | AddPartitions | AlterConfig | ChangeReplicas | Adopt


def plan_topic(
    declared: AlertTopic, observed: ObservedTopic | None, placement: Placement | None = None
) -> tuple[TopicChange, ...]:
    """Compare a declared topic with what Kafka has. What cannot be had is left out; see `topic_shortfalls.shortfalls`.

    Parameters
    ----------
    placement
        None when it has not been looked at; a change of the replicas then says no more than that there is one.

    Raises
    ------
    Stalled
        The topic exists and is not this resource's, or was deleted and made anew by somebody else.
    """
    if observed is None:
        return (CreateTopic(declared.name, declared.partitions, declared.replication_factor, dict(declared.config)),)
    changes: list[TopicChange] = []
    if must_be_adopted(declared, observed):
        changes.append(Adopt(declared.name, observed.topic_id))
    if declared.partitions is not None and declared.partitions > observed.partitions:
        changes.append(AddPartitions(declared.name, observed.partitions, declared.partitions))
    if config := _plan_config(declared, observed):
        changes.append(config)
    if replicas := _plan_replicas(declared, observed, placement):
        changes.append(replicas)
    return tuple(changes)


def must_be_adopted(declared: AlertTopic, observed: ObservedTopic) -> bool:
    """Say whether the topic is not this resource's yet.

    Raises
    ------
    Stalled
        It is not, and adoptionPolicy is Refuse.
    """
    if declared.ownership is None:
        if declared.adoption_policy != "Adopt":
            raise Stalled(
                Reason.CONFLICT,
                f"topic {declared.name} exists in Kafka already and was not made by this resource, so it is left alone. "
                "Set adoptionPolicy: Adopt to keep it as declared here from now on, or choose another topicName.",
            )
        return True
    if declared.topic_id and declared.topic_id != observed.topic_id:
        if declared.adoption_policy != "Adopt":
            raise Stalled(
                Reason.TOPIC_RECREATED,
                f"topic {declared.name} was deleted and created anew by somebody else (its id was {declared.topic_id}, is now "
                f"{observed.topic_id}), so it is left alone. Set adoptionPolicy: Adopt to take the new one over.",
            )
        return True
    return False


def is_as_created(declared: AlertTopic, observed: ObservedTopic) -> bool:
    """Say whether a topic is as this resource would have created it.

    Kafka keeps no note of who made a topic. So one that came to be while a request of ours was under way, whose answer was lost, is taken
    for ours only when it is as we asked for: of two that asked for the same at the same moment nobody can tell who was first.
    """
    return (
        declared.partitions in (None, observed.partitions)
        and declared.replication_factor in (None, observed.replication_factor)
        and declared.config.keys() == observed.config.keys()
        and all(is_same_value(value, observed.config[key]) for key, value in declared.config.items())
    )


def unsettled_keys(declared: AlertTopic, observed: ObservedTopic) -> list[str]:
    """Return the declared keys whose value in Kafka is not the declared one."""
    return sorted(key for key, value in declared.config.items() if not is_same_value(value, observed.config.get(key)))


def _plan_config(declared: AlertTopic, observed: ObservedTopic) -> AlterConfig | None:
    unknown = unknown_keys(declared.config, observed.known_keys)
    wanted = {key: declared.config[key] for key in unsettled_keys(declared, observed) if key not in unknown}
    reset = tuple(sorted((declared.config_keys - declared.config.keys()) & observed.config.keys()))
    return AlterConfig(declared.name, wanted, reset) if wanted or reset else None


def _plan_replicas(declared: AlertTopic, observed: ObservedTopic, placement: Placement | None) -> ChangeReplicas | None:
    target = declared.replication_factor
    if target is None or not wants_other_replicas(target, observed, placement):
        return None
    if placement is None:
        return ChangeReplicas(declared.name, observed.replication_factor, target)
    if target > len(placement.brokers) or is_moved_by_others(declared, placement):
        return None
    now = settled(observed, placement)
    changed = assign(now.assignment, placement.brokers, target)
    # What is under way to another number is taken back first: Kafka keeps the brokers that come of the old reassignment in a new one
    # that adds none, and then never ends it.
    back: dict[int, Replicas] = dict.fromkeys(placement.moves, ())
    underway = {number for number, move in placement.moves.items() if len(move.after) == target}
    assignment = {number: to for number, to in sorted({**changed, **back}.items()) if number not in underway}
    return ChangeReplicas(declared.name, now.replication_factor, target, assignment)


def wants_other_replicas(target: int, observed: ObservedTopic, placement: Placement | None) -> bool:
    """Say whether a partition has, or is about to have, another number of replicas than `target`."""
    moves = placement.moves if placement is not None else {}
    if not observed.assignment:
        return observed.replication_factor != target
    coming = (moves[number].after if number in moves else now for number, now in enumerate(observed.assignment))
    return any(len(replicas) != target for replicas in coming)


def is_moved_by_others(declared: AlertTopic, placement: Placement) -> bool:
    """Say whether somebody else reassigns the topic's partitions: Cruise Control, or a person with kafka-reassign-partitions.sh."""
    return any(len(move.after) != declared.replicas_target for move in placement.moves.values())


def settled(observed: ObservedTopic, placement: Placement | None) -> ObservedTopic:
    """Return the topic without the replicas that are only being filled: Kafka lists them among the others."""
    if placement is None or not placement.moves or not observed.assignment:
        return observed
    assignment = tuple(
        placement.moves[number].before if number in placement.moves else replicas
        for number, replicas in enumerate(observed.assignment)
    )
    return replace(observed, assignment=assignment, replication_factor=min(map(len, assignment)))
