"""What a Kafka cluster has, to be declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fink_distribution.plans.quotas import ObservedQuotas
from fink_distribution.plans.topics import ObservedTopic
from fink_distribution.plans.users import ObservedUser
from fink_distribution.resources.kafka_acl import Binding


@dataclass(frozen=True, order=True)
class ForeignAcl:
    """Permissions of one principal that no KafkaAcl can declare, because nobody here knows their kind."""

    principal: str
    count: int

    def __str__(self) -> str:
        return f"{self.count} permission(s) of {self.principal}"


@dataclass(frozen=True)
class Inventory:
    """Topics, users and quotas by name, permissions by principal."""

    topics: Mapping[str, ObservedTopic]
    users: Mapping[str, ObservedUser]
    bindings: Mapping[str, frozenset[Binding]]
    foreign: tuple[ForeignAcl, ...] = ()
    quotas: Mapping[str, ObservedQuotas] = field(default_factory=dict)
