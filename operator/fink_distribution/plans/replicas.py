"""Which brokers hold the copies of a topic's partitions, and where they go when their number changes (KIP-455)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Replicas = tuple[int, ...]
"""The brokers of one partition; the first is its preferred leader."""


@dataclass(frozen=True)
class Move:
    """A running reassignment of one partition, as ListPartitionReassignments tells it.

    Attributes
    ----------
    replicas
        All brokers that hold a copy now: those of before, and those that are being filled.
    adding, removing
        Those of them that come, and those that go when the last one that comes is in sync.
    """

    replicas: Replicas
    adding: Replicas = ()
    removing: Replicas = ()

    @property
    def before(self) -> Replicas:
        """The brokers that the partition had before, and has again when the reassignment is taken back."""
        return tuple(broker for broker in self.replicas if broker not in self.adding)

    @property
    def after(self) -> Replicas:
        """The brokers that the partition will have."""
        return tuple(broker for broker in self.replicas if broker not in self.removing)


@dataclass(frozen=True)
class Placement:
    """What has to be known of the cluster before the replicas of a topic are changed.

    Attributes
    ----------
    brokers
        The ids of the brokers that are up.
    moves
        The running reassignments of the topic, by partition.
    """

    brokers: Replicas
    moves: Mapping[int, Move] = field(default_factory=dict)


def assign(current: Sequence[Replicas], brokers: Replicas, target: int) -> dict[int, Replicas]:
    """Return the new replicas of those partitions that have another number than `target`.

    Replicas stay where they are as far as possible, so that as little as possible is copied, and preferred leaders stay. A new one
    goes to the broker that holds the fewest of this topic; one that goes is first a broker's that is down, then the fullest broker's.
    Racks are not looked at. The same arguments give the same result.

    Parameters
    ----------
    current
        The replicas by partition, from partition 0 on.
    brokers
        The ids of the brokers that are up; at least `target`, or the result has fewer replicas than that.
    """
    load = Counter(dict.fromkeys(brokers, 0))
    load.update(broker for replicas in current for broker in replicas)
    order = sorted(brokers)
    changed: dict[int, Replicas] = {}
    for partition, replicas in enumerate(current):
        kept = list(replicas)
        while len(kept) > target:
            goes = _superfluous(kept, order, load)
            kept.remove(goes)
            load[goes] -= 1
        # Another broker is the first to be asked for each partition, or all new replicas of a small topic would be on the same.
        start = partition % max(len(order), 1)
        free = [broker for broker in order[start:] + order[:start] if broker not in kept]
        for broker in sorted(free, key=lambda each: load[each])[: max(target - len(kept), 0)]:
            kept.append(broker)
            load[broker] += 1
        if tuple(kept) != replicas:
            changed[partition] = tuple(kept)
    return changed


def _superfluous(replicas: Sequence[int], up: Sequence[int], load: Mapping[int, int]) -> int:
    down = [broker for broker in replicas if broker not in up]
    followers = list(reversed(replicas[1:]))
    return down[-1] if down else max(followers, key=lambda broker: load[broker])
