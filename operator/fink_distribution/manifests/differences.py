"""The operator's changes as steps with fields, before and after: what a diff shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from fink_distribution.plans.acls import AclPlan
from fink_distribution.plans.topics import AddPartitions, Adopt, AlterConfig, CreateTopic, ObservedTopic
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


def step(change: object, observed: ObservedTopic | Mapping[str, int] | None) -> Step:
    """Return a change as a step; one without fields of its own is shown by its text.

    Parameters
    ----------
    observed
        The topic or the user as Kafka has it, for what was before.
    """
    topic = observed if isinstance(observed, ObservedTopic) else None
    user = observed if isinstance(observed, Mapping) else {}
    match change:
        case CreateTopic():
            return Step("+", str(change), tuple(_created(change)))
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
        case DeleteTopic():
            partitions = f"{topic.partitions} partition(s)" if topic else "it"
            after = None if not change.only_if_empty else f"{partitions}, gone if empty"
            return Step("-", str(change), (Difference("topic", partitions, after),))
    return Step("~", str(change))


def binding_steps(plan: AclPlan) -> tuple[Step, ...]:
    """Return the grants and then the revokes."""
    grants = [Step("+", f"grant {each}", (Difference("binding", None, str(each)),)) for each in plan.grants]
    revokes = [Step("-", f"revoke {each}", (Difference("binding", str(each), None),)) for each in plan.revokes]
    return (*grants, *revokes)


def _created(change: CreateTopic) -> Iterator[Difference]:
    yield Difference("partitions", None, DEFAULT if change.partitions is None else str(change.partitions))
    replicas = change.replication_factor
    yield Difference("replicationFactor", None, DEFAULT if replicas is None else str(replicas))
    yield from (Difference(f"config.{key}", None, value) for key, value in sorted(change.config.items()))


def _config(change: AlterConfig, before: Mapping[str, str]) -> Iterator[Difference]:
    yield from (Difference(f"config.{key}", before.get(key), value) for key, value in sorted(change.set.items()))
    yield from (Difference(f"config.{key}", before.get(key, DEFAULT), None) for key in change.reset)
