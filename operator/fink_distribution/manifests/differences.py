"""The operator's changes as steps with fields, before and after: what a diff shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from fink_distribution.plans.acls import AclPlan
from fink_distribution.plans.quotas import AlterQuotas
from fink_distribution.plans.topics import (
    AddPartitions,
    Adopt,
    AlterConfig,
    ChangeReplicas,
    CreateTopic,
    ObservedTopic,
)
from fink_distribution.plans.users import DeleteCredential, UpsertCredential

Sign = Literal["+", "~", "-"]
DEFAULT = "the broker's default"


@dataclass(frozen=True)
class Difference:
    """One field; None where there is nothing before, or nothing after."""

    field: str
    before: str | None
    after: str | None

    @property
    def sign(self) -> Sign:
        """+ for what comes, - for what goes, ~ for what changes."""
        if self.before is None:
            return "+"
        return "-" if self.after is None else "~"


@dataclass(frozen=True)
class Step:
    """One change of the plan.

    Attributes
    ----------
    text
        The change as the operator logs it and as it stands in status.plan.
    """

    sign: Sign
    text: str
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True)
class DeleteTopic:
    """Delete a topic because its resource is gone (deletionPolicy)."""

    name: str
    only_if_empty: bool

    def __str__(self) -> str:
        return f"delete topic {self.name} " + ("if it is empty" if self.only_if_empty else "with all its messages")


def step(change: object, observed: ObservedTopic | Mapping[str, float] | None) -> Step:
    """Return a change as a step; one without fields of its own is shown by its text.

    Parameters
    ----------
    observed
        The topic, the user's credentials or the user's quotas as Kafka has them, for what was before.
    """
    topic = observed if isinstance(observed, ObservedTopic) else None
    user = observed if isinstance(observed, Mapping) else {}
    match change:
        case CreateTopic():
            return Step("+", f"create topic {change.name}", tuple(_created(change)))
        case AddPartitions():
            return Step("~", str(change), (Difference("partitions", str(change.before), str(change.total)),))
        case AlterConfig():
            return Step("~", str(change), tuple(_config(change, topic.config if topic else {})))
        case Adopt():
            return Step("~", str(change), (Difference("owner", "nobody here", "this resource"),))
        case UpsertCredential():
            before = user.get(change.mechanism)
            was = None if before is None else f"{before} iterations"
            now = f"{change.iterations} iterations"
            return Step("+" if was is None else "~", str(change), (Difference(change.mechanism, was, now),))
        case DeleteCredential():
            was = f"{user.get(change.mechanism, 0)} iterations"
            return Step("-", str(change), (Difference(change.mechanism, was, None),))
        case ChangeReplicas():
            was = str(topic.replication_factor) if topic else None
            return Step("~", str(change), (Difference("replicationFactor", was, str(change.target)),))
        case AlterQuotas():
            return Step("~", str(change), tuple(_quotas(change, user)))
        case DeleteTopic():
            partitions = f"{topic.partitions} partition(s)" if topic else "it"
            after = None if not change.only_if_empty else f"{partitions}, gone if empty"
            return Step("-", str(change), (Difference("topic", partitions, after),))
    return Step("~", str(change))


def binding_steps(plan: AclPlan) -> tuple[Step, ...]:
    """Return the grants and then the revokes."""
    grants = [
        Step("+", line, (Difference("binding", None, str(each)),))
        for line, each in zip(plan.lines(), plan.grants, strict=False)
    ]
    revokes = [
        Step("-", line, (Difference("binding", str(each), None),))
        for line, each in zip(plan.lines()[len(plan.grants) :], plan.revokes, strict=True)
    ]
    return (*grants, *revokes)


def _created(change: CreateTopic) -> Iterator[Difference]:
    yield Difference("partitions", None, DEFAULT if change.partitions is None else str(change.partitions))
    replicas = change.replication_factor
    yield Difference("replicationFactor", None, DEFAULT if replicas is None else str(replicas))
    yield from (Difference(f"config.{key}", None, value) for key, value in sorted(change.config.items()))


def _config(change: AlterConfig, before: Mapping[str, str]) -> Iterator[Difference]:
    yield from (Difference(f"config.{key}", before.get(key), value) for key, value in sorted(change.set.items()))
    yield from (Difference(f"config.{key}", before.get(key, DEFAULT), None) for key in change.reset)


def _quotas(change: AlterQuotas, before: Mapping[str, float]) -> Iterator[Difference]:
    def was(key: str) -> str | None:
        return None if key not in before else f"{before[key]:g}"

    yield from (Difference(f"quota {key}", was(key), str(value)) for key, value in sorted(change.set.items()))
    yield from (Difference(f"quota {key}", was(key), None) for key in change.unset)
