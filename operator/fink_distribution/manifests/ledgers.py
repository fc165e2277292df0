"""What is taken as made by the manifests' own resources, where no status in a cluster says it (docs/decisions/0009)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fink_distribution.manifests.bundle import Bundle
from fink_distribution.resources.alert_topic import topic_name
from fink_distribution.resources.kafka_acl import Binding, bindings, ledger
from fink_distribution.resources.kafka_user import user_name
from fink_distribution.resources.keys import Body, Key, Kind

Status = Mapping[str, Any]


class Source(StrEnum):
    """Where the ledger comes from."""

    ASSUMED = "assumed"
    EMPTY = "empty"
    APPLIED = "applied"


@dataclass(frozen=True)
class Ledger:
    """Whose the topics, users and bindings are that exist in Kafka.

    Attributes
    ----------
    source
        ASSUMED: what is declared and exists is the resource's own. EMPTY: nothing is anybody's, as on a first apply. APPLIED: what
        `applied` declares, or records in its status.
    applied
        The resources as they were applied before.
    """

    source: Source
    applied: Bundle | None = None

    def status(self, key: Key, body: Body) -> Status:
        """Return the status as far as it says what is the resource's own."""
        match self.source:
            case Source.ASSUMED:
                return _as_applied(key, body)
            case Source.APPLIED if self.applied is not None and key in self.applied.bodies:
                before = self.applied.bodies[key]
                return before["status"] if _is_live(before) else _as_applied(key, before, config=True)
        return {}

    def owned(self, key: Key, declared: frozenset[Binding]) -> frozenset[Binding]:
        """Return the bindings that a KafkaAcl is taken to have made.

        Parameters
        ----------
        declared
            What it declares now.
        """
        match self.source:
            case Source.ASSUMED:
                return declared
            case Source.APPLIED if self.applied is not None and key in self.applied.bodies:
                before = self.applied.bodies[key]
                return ledger(before) if _is_live(before) else expanded(self.applied, before)
        return frozenset()

    def removed(self, declared: Bundle) -> list[tuple[Key, Body]]:
        """Return the resources that were applied before and are declared no more."""
        if self.applied is None:
            return []
        return [
            (key, {**body, "status": self.status(key, body)})
            for key, body in self.applied.planned()
            if key not in declared.bodies
        ]


def expanded(bundle: Bundle, body: Body) -> frozenset[Binding]:
    """Return the bindings that a KafkaAcl declares, its topicRefs resolved within the bundle."""
    return bindings(body, lambda key: topic_name(bundle.bodies[key]))


def _is_live(body: Body) -> bool:
    """Say whether an API server printed the resource after the operator had seen it."""
    status = body.get("status") or {}
    return int(status.get("observedGeneration", -1)) >= 0


def _as_applied(key: Key, body: Body, *, config: bool = False) -> Status:
    if key.kind is Kind.ALERT_TOPIC:
        keys = sorted(body["spec"].get("config") or {})
        return {"ownership": "Created", **({"configKeys": keys} if config else {})}
    if key.kind is Kind.KAFKA_USER:
        return {"userName": user_name(body), "quotas": dict(body["spec"].get("quotas") or {})}
    return {}
