"""What every reconcile is given: the cluster, the Kafka connections, the registry, the clock."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from fink_distribution.cluster import events
from fink_distribution.cluster.api import AlreadyExists, Cluster, Gone
from fink_distribution.errors import Reason, ReconcileError
from fink_distribution.reconcile.connections import Connections
from fink_distribution.reconcile.registry import Registry
from fink_distribution.resources.conditions import Beside, State, Verdict, condition, conditions
from fink_distribution.resources.keys import API_VERSION, Body, Key, Kind
from fink_distribution.settings import Settings

logger = logging.getLogger(__name__)

Facts = dict[str, Any]
"""What stands in a status beside the conditions, of what the operator writes."""

_NOT_FACTS = {"conditions", "observedGeneration", "progress"}


def facts_of(body: Body) -> Facts:
    """Return the facts that stand in the status now."""
    return {key: value for key, value in (body.get("status") or {}).items() if key not in _NOT_FACTS}


class Outdated(Exception):  # noqa: N818 - not an error: the resource is looked at again, as it is now
    """The resource has changed since it was read, so what was concluded from it may be wrong."""


@dataclass(frozen=True)
class Outcome:
    """What a reconcile found.

    Attributes
    ----------
    facts
        All of them: one that is left out is removed from the status.
    again_seconds
        Look again after so long; None, only when woken.
    beside
        News of the kind's own conditions; those that are left out stay as they are.
    """

    verdict: Verdict
    facts: Facts
    again_seconds: float | None = None
    beside: tuple[Beside, ...] = ()


@dataclass
class Context:
    """The world of a reconcile."""

    settings: Settings
    cluster: Cluster
    registry: Registry
    connections: Connections
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def now(self) -> str:
        """Return the time as Kubernetes writes it."""
        return self.clock().strftime("%Y-%m-%dT%H:%M:%SZ")

    def changing(self, body: Body, change: object) -> None:
        """Log a change before it is made."""
        logger.info("%s: %s", Key.of(body), change)

    async def report(self, body: Body, verdict: Verdict, facts: Facts, beside: Sequence[Beside] = ()) -> Body:
        """Write the status if it differs from what stands there; return the object as it then is.

        Raises
        ------
        Outdated
            The object has changed meanwhile. Its status records what is ours, so it is never written from an old view.
        """
        generation = body["metadata"]["generation"]
        before = (body.get("status") or {}).get("conditions") or []
        status = {
            **facts,
            "observedGeneration": generation,
            "conditions": conditions(verdict, generation, before, self.now(), beside),
        }
        own = {key: value for key, value in (body.get("status") or {}).items() if key != "progress"}
        if own == status:
            return body
        key = Key.of(body)
        metadata = {"name": key.name, "namespace": key.namespace, "uid": body["metadata"]["uid"]}
        if key.kind is not Kind.DISTRIBUTION_STREAM:
            # A stream's status records nothing that could get lost, and its driver writes there as well, every few seconds.
            metadata["resourceVersion"] = body["metadata"]["resourceVersion"]
        manifest = {"apiVersion": API_VERSION, "kind": key.kind.value, "metadata": metadata, "status": status}
        logger.debug("%s: status %s -> %s", Key.of(body), body["metadata"]["resourceVersion"], status)
        try:
            written: Body = await self.cluster.apply(manifest, "status")
        except Gone:
            return body
        except AlreadyExists as conflict:
            await self._look_again(key)
            raise Outdated from conflict
        self.registry.see(written)
        return written

    async def report_beside(self, body: Body, news: Beside) -> Body:
        """Write one of the kind's own conditions and leave all else in the status as it is.

        Raises
        ------
        Outdated
            As `report` does.
        """
        ready = condition(body, State.READY)
        if ready is None or (body.get("status") or {}).get("observedGeneration") != body["metadata"]["generation"]:
            raise Outdated
        state = State.READY
        if ready["status"] != "True":
            state = State.STALLED if condition(body, State.STALLED) else State.RECONCILING
        verdict = Verdict(state, ready["reason"], ready["message"])
        return await self.report(body, verdict, facts_of(body), [news])

    async def _look_again(self, key: Key) -> None:
        fresh = await self.cluster.get(API_VERSION, key.kind.value, key.namespace, key.name)
        if fresh is not None:
            self.registry.see(fresh)

    async def event(self, body: Body, kind: str, reason: str, message: str) -> None:
        """Write an Event; that it cannot be written changes nothing."""
        try:
            await events.record(self.cluster, body, kind, reason, message, self.now())
        except (ReconcileError, Gone) as error:
            logger.warning("%s: event %s not written: %s", Key.of(body), reason, error)

    async def claim(self, body: Body, facts: Mapping[str, Any]) -> Body:
        """Write down what is about to be made, before it is made: after a crash in between it is known to be ours."""
        verdict = Verdict(State.RECONCILING, Reason.PROGRESSING, "changing Kafka as declared.")
        return await self.report(body, verdict, {**facts_of(body), **facts})


class Reconciler(Protocol):
    """One kind's part of the contract."""

    async def reconcile(self, context: Context, body: Body) -> Outcome:
        """Bring the resource to its declared state, or raise a ReconcileError."""
        ...

    async def release(self, context: Context, body: Body) -> None:
        """Undo what the resource made, as its deletionPolicy says, or raise a ReconcileError."""
        ...
