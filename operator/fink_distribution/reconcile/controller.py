"""The contract that all kinds keep: one turn at a time for each resource, errors as conditions, one status write, Events on
transitions, deletion that ends."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from fink_distribution.errors import OF_CONNECTION, Reason, ReconcileError, Waiting
from fink_distribution.reconcile import orphans
from fink_distribution.reconcile.alert_topics import AlertTopics
from fink_distribution.reconcile.cluster_changes import ledger_for_this_cluster, start_anew_in_another_cluster
from fink_distribution.reconcile.context import Context, Facts, Outcome, Outdated, Reconciler, facts_of
from fink_distribution.reconcile.distribution_streams import DistributionStreams
from fink_distribution.reconcile.kafka_acls import KafkaAcls
from fink_distribution.reconcile.kafka_connections import KafkaConnections
from fink_distribution.reconcile.kafka_users import KafkaUsers
from fink_distribution.reconcile.metrics import OUTDATED, RELEASED, Turn
from fink_distribution.reconcile.policies import refuse_violation
from fink_distribution.resources.conditions import State, Verdict, condition
from fink_distribution.resources.kafka_connection import connection_in_use
from fink_distribution.resources.keys import FINALIZER, Body, Key, Kind, is_deleted

logger = logging.getLogger(__name__)

_UNEXPECTED_RETRY_SECONDS = 30.0
_RELEASE_RETRY_SECONDS = 2.0
_UNWRITTEN_RETRY_SECONDS = 5.0
_PATIENCE_SECONDS = 3.0

RECONCILERS: dict[Kind, Reconciler] = {
    Kind.KAFKA_CONNECTION: KafkaConnections(),
    Kind.ALERT_TOPIC: AlertTopics(),
    Kind.KAFKA_USER: KafkaUsers(),
    Kind.KAFKA_ACL: KafkaAcls(),
    Kind.DISTRIBUTION_STREAM: DistributionStreams(),
}


class Controller:
    """Brings resources to their declared state, and lets them go."""

    def __init__(self, context: Context) -> None:
        self.context = context

    async def turn(self, key: Key) -> float | None:
        """Look at one resource; return after how many seconds to look again, None for only when woken."""
        body = self.context.registry.get(key)
        if body is None:
            return None
        with self.context.metrics.turn(key) as turn:
            try:
                return await (self._release(body, turn) if is_deleted(body) else self._reconcile(body, turn))
            except Outdated:
                turn.result = OUTDATED
                return 0.0

    async def _reconcile(self, body: Body, turn: Turn) -> float | None:
        outcome = await self._attempt(turn.key, body)
        turn.result = outcome.verdict.reason
        if self._is_too_early(body, outcome):
            return _PATIENCE_SECONDS
        # The reconcile may have written to the resource itself, ahead of a change. To a connection it has not, but others may have, what
        # they leave behind: from an old view that is not overwritten.
        is_connection = turn.key.kind is Kind.KAFKA_CONNECTION
        latest = body if is_connection else self.context.registry.get(turn.key) or body
        written = await self._report(latest, outcome)
        if not written:
            return _UNWRITTEN_RETRY_SECONDS
        self.context.intents.close(body)
        return outcome.again_seconds

    def _is_too_early(self, body: Body, outcome: Outcome) -> bool:
        """Whether a new resource only waits for another, which may have come in the same apply: that is not worth a write to say so."""
        if outcome.verdict.reason != Reason.DEPENDENCY_NOT_READY or condition(body, "Ready") is not None:
            return False
        age = self.context.clock() - datetime.fromisoformat(body["metadata"]["creationTimestamp"])
        return abs(age.total_seconds()) < _PATIENCE_SECONDS and outcome.facts == facts_of(body)

    async def _attempt(self, key: Key, body: Body) -> Outcome:
        try:
            body = await start_anew_in_another_cluster(self.context, await self.context.recall(body))
            refuse_violation(self.context.registry, body)
            return await RECONCILERS[key.kind].reconcile(self.context, body)
        except ReconcileError as error:
            if error.reason in OF_CONNECTION and key.kind is not Kind.KAFKA_CONNECTION:
                self._suspect_connection(body)
            return Outcome.of_error(error, await self._last_facts(body))
        except Outdated:
            raise
        except Exception:
            logger.exception("%s: unexpected error", key)
            return Outcome(Verdict.of_unexpected_error(), await self._last_facts(body), _UNEXPECTED_RETRY_SECONDS)

    async def _last_facts(self, body: Body) -> Facts:
        """Return what is known to be ours, with what was noted ahead of the change that failed."""
        latest = self.context.registry.get(Key.of(body)) or body
        return facts_of(await self.context.recall(latest))

    def _suspect_connection(self, body: Body) -> None:
        if connection := connection_in_use(body):
            self.context.connections.unreachable(connection)

    async def _report(self, body: Body, outcome: Outcome) -> bool:
        """Write the status and, on a transition, an Event; False when the status could not be written."""
        key, before = Key.of(body), condition(body, "Ready")
        after = outcome.verdict
        moved = before is None or before["reason"] != after.reason
        try:
            # What is ours is said only by a resource that cannot go without us.
            settled = body if is_deleted(body) else await self.context.settle(body, outcome.facts)
            await self.context.report(settled, after, outcome.facts, outcome.findings, outcome.withdrawn)
        except ReconcileError as error:
            logger.warning("%s: status not written: %s", key, error)
            return False
        if moved:
            logger.info("%s: %s: %s", key, after.reason, after.message)
            if before is not None or after.state is not State.RECONCILING:
                kind = "Warning" if after.state is State.STALLED else "Normal"
                await self.context.event(body, kind, after.reason, after.message)
        for event in outcome.events:
            await self.context.event(body, event.kind, event.reason, event.message)
        return True

    async def _release(self, body: Body, turn: Turn) -> float | None:
        """Undo what a deleted resource made, and let it go."""
        if FINALIZER not in (body["metadata"].get("finalizers") or []):
            return None
        try:
            ledger = ledger_for_this_cluster(self.context, await self.context.recall(body))
            await RECONCILERS[turn.key.kind].release(self.context, ledger)
            turn.result = RELEASED
        except ReconcileError as error:
            turn.result = error.reason
            # Who may not write now may not give up either: it may well be possible later, for this operator or the next.
            if not self._is_overdue(body) or error.reason is Reason.LEASE_NOT_HELD:
                verdict = Verdict(State.RECONCILING, error.reason, f"is being deleted: {error.message}")
                await self._report(body, Outcome(verdict, facts_of(body)))
                return (error.retry_seconds if isinstance(error, Waiting) else None) or _RELEASE_RETRY_SECONDS
            turn.result = Reason.LEFT_BEHIND
            return await self._let_go(body, error)
        return await self._let_go(body)

    async def _let_go(self, body: Body, problem: ReconcileError | None = None) -> float | None:
        """Take the finalizer off, after what could not be removed has been written down."""
        key = Key.of(body)
        try:
            if problem is not None:
                await self._give_up(body, problem)
            await self.context.let_go(body)
        except ReconcileError as error:
            logger.warning("%s: not let go yet: %s", key, error)
            return _RELEASE_RETRY_SECONDS
        self.context.intents.close(body)
        logger.info("%s: released", key)
        return None

    def _is_overdue(self, body: Body) -> bool:
        since = datetime.fromisoformat(body["metadata"]["deletionTimestamp"])
        return self.context.clock() - since > timedelta(seconds=self.context.settings.deletion_deadline_seconds)

    async def _give_up(self, body: Body, error: ReconcileError) -> None:
        # Before the finalizer goes: after a crash in between it is tried again, and nothing is forgotten.
        left = await orphans.record(self.context, body)
        text = f"gone; {left} It could not be cleaned up: {error.message}"
        logger.warning("%s: %s", Key.of(body), text)
        await self.context.event(body, "Warning", Reason.LEFT_BEHIND, text)
