"""What a Kafka cluster has, to be declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fink_distribution.plans.topics import ObservedTopic
from fink_distribution.plans.users import ObservedUser
from fink_distribution.resources.kafka_acl import Binding


@dataclass(frozen=True, order=True)
class ForeignAcl:
    """A permission that no KafkaAcl can declare: a Deny, or a type of resource or an operation that it does not know."""

    principal: str
    permission: str
    binding: Binding

    def __str__(self) -> str:
        return f"{self.principal}: {self.permission} {self.binding}"


@dataclass(frozen=True)
class Inventory:
    """Topics and users by name, permissions by principal."""

    topics: Mapping[str, ObservedTopic]
    users: Mapping[str, ObservedUser]
    bindings: Mapping[str, frozenset[Binding]]
    foreign: tuple[ForeignAcl, ...] = ()
