"""What is declared of a topic but cannot be had, beside what is applied all the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fink_distribution.errors import Reason, ReconcileError, Stalled, Waiting
from fink_distribution.plans.replicas import Placement
from fink_distribution.plans.topic_config import about_unknown_keys, unknown_keys
from fink_distribution.plans.topics import (
    ObservedTopic,
    is_moved_by_others,
    settled,
    unsettled_keys,
    wants_other_replicas,
)
from fink_distribution.resources.alert_topic import AlertTopic

_LOOK_AGAIN_SECONDS = 5.0


def shortfalls(
    declared: AlertTopic, observed: ObservedTopic, placement: Placement | None = None
) -> tuple[ReconcileError, ...]:
    """Say what is declared but cannot be had; `plan_topic` leaves it out.

    Parameters
    ----------
    placement
        None when it has not been looked at; nothing is then said of the replicas.
    """
    return tuple(_shortfalls(declared, observed, placement))


def _shortfalls(declared: AlertTopic, observed: ObservedTopic, placement: Placement | None) -> Iterator[ReconcileError]:
    if declared.partitions is not None and declared.partitions < observed.partitions:
        yield Stalled(
            Reason.PARTITIONS_CANNOT_SHRINK,
            f"partitions: {declared.partitions} is fewer than the {observed.partitions} that topic {observed.name} has; "
            f"Kafka cannot remove partitions. Set {observed.partitions} or more.",
        )
    if unknown := unknown_keys(declared.config, observed.known_keys):
        yield Stalled(Reason.INVALID_CONFIG, about_unknown_keys(unknown, observed.known_keys))
    target = declared.replication_factor
    if target is not None and placement is not None and wants_other_replicas(target, observed, placement):
        yield from _about_replicas(declared, target, placement)


def _about_replicas(declared: AlertTopic, target: int, placement: Placement) -> Iterator[ReconcileError]:
    up = len(placement.brokers)
    if target > up:
        yield Stalled(
            Reason.INVALID_CONFIG,
            f"replicationFactor: {target} is more than the {up} broker(s) of the cluster that are up, and each copy is on another "
            f"broker. Set {up} or fewer, or add brokers.",
        )
    elif is_moved_by_others(declared, placement):
        yield Waiting(
            Reason.PROGRESSING,
            f"somebody else reassigns {len(placement.moves)} partition(s) of topic {declared.name}, so replicationFactor: {target} waits "
            "until that is done.",
            _LOOK_AGAIN_SECONDS,
        )


def remaining(target: int, observed: ObservedTopic, placement: Placement) -> int:
    """Return how many partitions do not have, or only are about to have, `target` replicas."""
    now = settled(observed, placement).assignment
    return sum(number in placement.moves or len(replicas) != target for number, replicas in enumerate(now))


def applied(declared: AlertTopic, observed: ObservedTopic) -> list[str]:
    """Return the names of what is declared, and is so in Kafka."""
    unsettled = unsettled_keys(declared, observed)
    names = [key for key in sorted(declared.config) if key not in unsettled]
    if declared.replication_factor == observed.replication_factor:
        names.insert(0, "replicationFactor")
    if declared.partitions == observed.partitions:
        names.insert(0, "partitions")
    return names


def together(problems: Sequence[ReconcileError], as_declared: Sequence[str]) -> ReconcileError:
    """Return several problems as one: what a person has to mend comes before what time mends.

    Parameters
    ----------
    problems
        At least one.
    as_declared
        The names of what is in Kafka as declared, so that nothing is half applied without being said.
    """
    ordered = sorted(problems, key=lambda problem: isinstance(problem, Waiting))
    texts = list(dict.fromkeys(problem.message for problem in ordered))
    text = " ".join([*texts, f"Applied: {', '.join(as_declared)}."] if as_declared else texts)
    first = ordered[0]
    if isinstance(first, Waiting):
        return Waiting(first.reason, text, first.retry_seconds)
    return Stalled(first.reason, text)
