"""The contract that all kinds keep: one turn at a time for each resource, errors as conditions, one status write, Events on
transitions, deletion that ends."""

from __future__ import annotations

import contextlib
import logging
from datetime import datetime, timedelta

from fink_distribution.errors import Reason, ReconcileError, Waiting
from fink_distribution.reconcile.alert_topics import AlertTopics
from fink_distribution.reconcile.context import Context, Facts, Outcome, Outdated, Reconciler, facts_of
from fink_distribution.reconcile.distribution_streams import DistributionStreams
from fink_distribution.reconcile.kafka_acls import KafkaAcls
from fink_distribution.reconcile.kafka_connections import KafkaConnections
from fink_distribution.reconcile.kafka_users import KafkaUsers
from fink_distribution.reconcile.policies import refuse_violation, wake_waiting
from fink_distribution.resources.conditions import State, Verdict, condition
from fink_distribution.resources.kafka_connection import connection_name
from fink_distribution.resources.keys import Body, Key, Kind, is_deleted

logger = logging.getLogger(__name__)

_UNEXPECTED_RETRY_SECONDS = 30.0

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

    async def reconcile(self, key: Key) -> float | None:
        """Look at one resource; return after how many seconds to look again, None for only when woken."""
        item = self.context.registry.item(key)
        if item is None:
            return None
        async with item.lock:
            body = item.body
            if is_deleted(body):
                return None
            try:
                outcome = await self._attempt(key, body)
                # The reconcile may have written the status itself, ahead of a change.
                await self._report(item.body, outcome)
            except Outdated:
                return 0.0
            return outcome.again_seconds

    async def _attempt(self, key: Key, body: Body) -> Outcome:
        try:
            refuse_violation(self.context.registry, body)
            return await RECONCILERS[key.kind].reconcile(self.context, body)
        except ReconcileError as error:
            if error.reason is Reason.KAFKA_UNREACHABLE and key.kind is not Kind.KAFKA_CONNECTION:
                self._suspect_connection(body)
            retry = error.retry_seconds if isinstance(error, Waiting) else None
            return Outcome(Verdict.of_error(error), self._last_facts(key), retry)
        except Outdated:
            raise
        except Exception:
            logger.exception("%s: unexpected error", key)
            verdict = Verdict(
                State.RECONCILING,
                Reason.INTERNAL_ERROR,
                "an error that the operator does not know; its log has the traceback. It is tried again by itself.",
            )
            return Outcome(verdict, self._last_facts(key), _UNEXPECTED_RETRY_SECONDS)

    def _last_facts(self, key: Key) -> Facts:
        body = self.context.registry.get(key)
        return facts_of(body) if body is not None else {}

    def _suspect_connection(self, body: Body) -> None:
        self.context.connections.unreachable(connection_name(body))

    async def _report(self, body: Body, outcome: Outcome) -> None:
        key, before = Key.of(body), condition(body, "Ready")
        after = outcome.verdict
        moved = before is None or before["reason"] != after.reason
        try:
            await self.context.report(body, after, outcome.facts)
        except ReconcileError as error:
            logger.warning("%s: status not written: %s", key, error)
            return
        if moved:
            logger.info("%s: %s: %s", key, after.reason, after.message)
            if before is not None or after.state is not State.RECONCILING:
                kind = "Warning" if after.state is State.STALLED else "Normal"
                await self.context.event(body, kind, after.reason, after.message)

    async def release(self, body: Body) -> None:
        """Undo what a deleted resource made.

        Raises
        ------
        Waiting
            It cannot be done yet and the deadline has not passed.
        """
        key = Key.of(body)
        item = self.context.registry.item(key)
        if item is None:
            item = self.context.registry.see(body)
        async with item.lock:
            body = item.body
            try:
                await RECONCILERS[key.kind].release(self.context, body)
            except ReconcileError as error:
                if self._is_overdue(body):
                    await self._give_up(body, error)
                    return
                verdict = Verdict(State.RECONCILING, error.reason, f"is being deleted: {error.message}")
                with contextlib.suppress(Outdated):
                    await self._report(body, Outcome(verdict, facts_of(body)))
                raise Waiting(error.reason, error.message, 2.0) from error
            wake_waiting(self.context.registry, body)
            logger.info("%s: released", key)

    def _is_overdue(self, body: Body) -> bool:
        since = datetime.fromisoformat(body["metadata"]["deletionTimestamp"])
        return self.context.clock() - since > timedelta(seconds=self.context.settings.deletion_deadline_seconds)

    async def _give_up(self, body: Body, error: ReconcileError) -> None:
        text = f"gone, but what it made in Kafka may be left behind, since it could not be cleaned up: {error.message}"
        logger.warning("%s: %s", Key.of(body), text)
        await self.context.event(body, "Warning", Reason.LEFT_BEHIND, text)
