"""What every reconcile is given: the cluster, the Kafka connections, the registry, the clock."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from fink_distribution.cluster.api import AlreadyExists, Cluster, Gone
from fink_distribution.errors import Reason, ReconcileError, Waiting
from fink_distribution.reconcile.connections import Connections
from fink_distribution.reconcile.intents import Intents
from fink_distribution.reconcile.metrics import Metrics
from fink_distribution.reconcile.news import News
from fink_distribution.reconcile.registry import Registry
from fink_distribution.resources.conditions import Finding, State, Verdict, condition, conditions
from fink_distribution.resources.kafka_connection import connection_in_use
from fink_distribution.resources.keys import API_VERSION, FINALIZER, Body, Key, Kind, is_deleted
from fink_distribution.resources.references import wants_finalizer
from fink_distribution.settings import Settings

logger = logging.getLogger(__name__)

Facts = dict[str, Any]
"""What stands in a status beside the conditions, of what the operator writes."""

_NOT_FACTS = {"conditions", "observedGeneration", "progress"}


def facts_of(body: Body) -> Facts:
    """Return the facts that stand in the status now."""
    return {key: value for key, value in (body.get("status") or {}).items() if key not in _NOT_FACTS}


def with_facts(body: Body, facts: Mapping[str, Any]) -> Body:
    """Return the resource with these facts in its status in place of those that stand there."""
    kept = {key: value for key, value in (body.get("status") or {}).items() if key in _NOT_FACTS}
    return {**body, "status": {**kept, **facts}}


def _digest(body: Body) -> str:
    return hashlib.sha256(json.dumps(facts_of(body), sort_keys=True).encode()).hexdigest()[:16]


class Outdated(Exception):  # noqa: N818 - not an error: the resource is looked at again, as it is now
    """The resource has changed since it was read, so what was concluded from it may be wrong."""


@dataclass(frozen=True)
class Event:
    """An Event to be written; `kind` is Normal or Warning."""

    kind: str
    reason: str
    message: str


@dataclass(frozen=True)
class Outcome:
    """What a reconcile found.

    Attributes
    ----------
    facts
        All of them: one that is left out is removed from the status.
    again_seconds
        Look again after so long; None, only when woken.
    findings
        News of the conditions beside Ready; those that are left out stay as they are.
    withdrawn
        Conditions beside Ready that are no longer there.
    events
        What to tell, besides a change of Ready, once the status says it.
    """

    verdict: Verdict
    facts: Facts
    again_seconds: float | None = None
    findings: tuple[Finding, ...] = ()
    withdrawn: tuple[str, ...] = ()
    events: tuple[Event, ...] = ()

    @classmethod
    def of_error(cls, error: ReconcileError, facts: Facts) -> Outcome:
        """Return the outcome of a reconcile that an error has ended; `facts` are what is known to be ours all the same."""
        return cls(Verdict.of_error(error), facts, error.retry_seconds if isinstance(error, Waiting) else None)


@dataclass
class Context:
    """The world of a reconcile.

    Attributes
    ----------
    calm
        Not set while many resources wait or are worked on: what has time waits until it is.
    background
        Tasks that go on beside the turns; they are ended with the operator.
    """

    settings: Settings
    cluster: Cluster
    registry: Registry
    connections: Connections
    intents: Intents
    news: News
    metrics: Metrics
    calm: asyncio.Event
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    background: set[asyncio.Task[None]] = field(default_factory=set)

    def now(self) -> str:
        """Return the time as Kubernetes writes it."""
        return self.clock().strftime("%Y-%m-%dT%H:%M:%SZ")

    def changing(self, body: Body, change: object) -> None:
        """Log a change before it is made."""
        logger.info("%s: %s", Key.of(body), change)
        self.metrics.changing(Key.of(body))

    async def report(
        self,
        body: Body,
        verdict: Verdict,
        facts: Facts,
        findings: Sequence[Finding] = (),
        withdrawn: Sequence[str] = (),
    ) -> Body:
        """Write the status if it differs from what stands there; return the object as it then is.

        Raises
        ------
        Outdated
            The object has changed meanwhile. Its status records what is ours, so it is never written from an old view.
        """
        generation = body["metadata"]["generation"]
        stood = (body.get("status") or {}).get("conditions") or []
        before = [each for each in stood if each["type"] not in withdrawn]
        status = {
            **facts,
            "observedGeneration": generation,
            "conditions": conditions(verdict, generation, before, self.now(), findings),
        }
        return await self._write_status(body, status)

    async def amend(self, body: Body, facts: Facts) -> Body:
        """Write facts beside what stands in the status, which says nothing else than before; raises as `report`."""
        own = {key: value for key, value in (body.get("status") or {}).items() if key != "progress"}
        return await self._write_status(body, {**own, **facts})

    async def _write_status(self, body: Body, status: dict[str, Any]) -> Body:
        own = {key: value for key, value in (body.get("status") or {}).items() if key != "progress"}
        if own == status:
            return body
        key = Key.of(body)
        logger.debug("%s: status %s -> %s", key, body["metadata"]["resourceVersion"], status)
        try:
            written: Body = await self._send_status(key, body, status)
        except Gone:
            return body
        except AlreadyExists as conflict:
            await self._look_again(key)
            raise Outdated from conflict
        self.registry.see(written)
        return written

    async def _send_status(self, key: Key, body: Body, status: Facts) -> Body:
        if key.kind is not Kind.DISTRIBUTION_STREAM:
            return await self.cluster.replace_status(body, status)
        # A stream's driver writes there as well, every few seconds. So it is applied, which leaves the driver's part alone; and
        # without a version, since a stream's status records nothing that an old view could lose.
        metadata = {"name": key.name, "namespace": key.namespace, "uid": body["metadata"]["uid"]}
        manifest = {"apiVersion": API_VERSION, "kind": key.kind.value, "metadata": metadata, "status": status}
        return await self.cluster.apply(manifest, "status")

    async def report_finding(self, body: Body, news: Finding) -> Body:
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
        """Have an Event written, soon; that it cannot be written changes nothing."""
        self.news.tell(body, kind, reason, message, self.now())

    async def hold(self, body: Body) -> Body:
        """Put our finalizer on a resource before something is made for it that is to go with it.

        One that has made nothing carries none, so it can be deleted while the operator is away.

        Raises
        ------
        Outdated
            The object has changed meanwhile, or is gone.
        """
        finalizers = body["metadata"].get("finalizers") or []
        if FINALIZER in finalizers:
            return body
        return await self._set_finalizers(body, [*finalizers, FINALIZER])

    async def let_go(self, body: Body) -> Body:
        """Take our finalizer off a resource; for one that is being deleted this is its end."""
        finalizers = body["metadata"].get("finalizers") or []
        if FINALIZER not in finalizers:
            return body
        return await self._set_finalizers(body, [each for each in finalizers if each != FINALIZER])

    async def _set_finalizers(self, body: Body, finalizers: list[str]) -> Body:
        try:
            written: Body = await self.cluster.set_finalizers(body, finalizers)
        except Gone:
            raise Outdated from None
        except AlreadyExists as conflict:
            await self._look_again(Key.of(body))
            raise Outdated from conflict
        if not is_deleted(written):
            self.registry.see(written)
        return written

    async def claim(self, body: Body, facts: Mapping[str, Any]) -> Body:
        """Write down what is about to be made, before it is made: after a crash in between it is known to be ours.

        Returns
        -------
        Body
            The resource as it will be once its status is written; until then the note stands in for it, see `recall`.
        """
        connection = connection_in_use(body)
        # In which cluster, too: in another one, it is not ours.
        cluster_id = self.connections.cluster_id(connection) if connection else None
        where = {"clusterId": cluster_id} if cluster_id else {}
        noted = with_facts(body, {**facts_of(body), **where, **facts})
        note = {"after": _digest(self.registry.get(Key.of(body)) or body), "facts": facts_of(noted)}
        if await self.intents.record(body, note):
            return await self.settle(noted, facts_of(noted))
        # Too long for a note among many: it goes into the status at once.
        verdict = Verdict(State.RECONCILING, Reason.PROGRESSING, "changing Kafka as declared.")
        return await self.settle(await self.report(body, verdict, facts_of(noted)), facts_of(noted))

    async def recall(self, body: Body) -> Body:
        """Return a resource with what it was about to make before a crash, or an error, as if its status said so."""
        note = await self.intents.of(body)
        # A status that was written after the note knows more than it.
        is_newest = note is not None and note["after"] == _digest(body)
        return with_facts(body, note["facts"]) if note is not None and is_newest else body

    async def settle(self, body: Body, facts: Facts) -> Body:
        """Have a resource of which these are the facts carry our finalizer if, and only if, its deletion needs us."""
        written = await (self.hold(body) if wants_finalizer(with_facts(body, facts)) else self.let_go(body))
        return {**body, "metadata": written["metadata"]}


class Reconciler(Protocol):
    """One kind's part of the contract."""

    async def reconcile(self, context: Context, body: Body) -> Outcome:
        """Bring the resource to its declared state, or raise a ReconcileError."""
        ...

    async def release(self, context: Context, body: Body) -> None:
        """Undo what the resource made, as its deletionPolicy says, or raise a ReconcileError."""
        ...
