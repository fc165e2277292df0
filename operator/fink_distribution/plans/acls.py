"""What has to change in Kafka so that a principal's bindings are as declared."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from fink_distribution.resources.kafka_acl import DENY, Binding


@dataclass(frozen=True)
class AclPlan:
    """Grants come before revokes, so that no client loses in between what it keeps.

    A Deny counts as a grant too: the binding is what is made and removed, whatever it says.

    Attributes
    ----------
    ledger
        What the resource owns once the plan is applied.
    """

    grants: tuple[Binding, ...]
    revokes: tuple[Binding, ...]
    ledger: frozenset[Binding]

    def __bool__(self) -> bool:
        return bool(self.grants or self.revokes)

    def __str__(self) -> str:
        return "; ".join(self.lines())

    def lines(self) -> tuple[str, ...]:
        """Return the plan, a line a binding, in the order in which it is applied."""
        made = [f"{'deny' if each.permission == DENY else 'grant'} {each}" for each in self.grants]
        gone = [f"{'no longer deny' if each.permission == DENY else 'revoke'} {each}" for each in self.revokes]
        return (*made, *gone)


def plan_acls(
    declared: Set[Binding], observed: Set[Binding], owned: Set[Binding], shared: Set[Binding], *, adopt: bool = False
) -> AclPlan:
    """Compare declared bindings of one principal with what Kafka has.

    Parameters
    ----------
    declared
        What the spec expands to; empty when the resource is being deleted.
    observed
        All bindings of the principal in Kafka.
    owned
        What the resource's ledger records as made by it.
    shared
        What the ledgers of other resources record: such a binding goes only with the last of them.
    adopt
        Whether what is declared and was made by hand becomes the resource's own.
    """
    missing = set(declared) - set(observed)
    # A declared binding that exists and is in nobody's ledger was made by hand: unless adopted, it is used, never owned, never removed.
    recorded = set(owned) | set(shared) | (set(observed) if adopt else set())
    ledger = missing | (set(declared) & recorded)
    # Also what is not seen in Kafka: a broker may not yet know of what was made a moment ago, and then nobody would remove it.
    revokes = set(owned) - set(declared) - set(shared)
    return AclPlan(tuple(sorted(missing)), tuple(sorted(revokes)), frozenset(ledger))
