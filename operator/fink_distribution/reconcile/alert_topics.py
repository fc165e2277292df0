"""AlertTopic: a topic in Kafka."""

from __future__ import annotations

from collections.abc import Sequence

from fink_distribution.errors import Reason, ReconcileError, Stalled, Waiting
from fink_distribution.kafka import reassignments, topic_trials, topics
from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.plans.replicas import Placement
from fink_distribution.plans.topic_shortfalls import shortfalls
from fink_distribution.plans.topics import (
    Adopt,
    CreateTopic,
    ObservedTopic,
    TopicChange,
    is_as_created,
    plan_topic,
    settled,
    wants_other_replicas,
)
from fink_distribution.reconcile import topic_changes, topic_status
from fink_distribution.reconcile.context import Context, Outcome, facts_of
from fink_distribution.reconcile.rivals import claimant, refuse_owned, refuse_rival
from fink_distribution.resources.alert_topic import AlertTopic
from fink_distribution.resources.conditions import Verdict
from fink_distribution.resources.keys import Body, Key
from fink_distribution.resources.modes import Mode, is_enforced, mode_of, without_plan

_OF_A_CLAIM = ("ownership", "topicId", "configKeys", "replicasChange")


class AlertTopics:
    """The reconciler of AlertTopic."""

    async def reconcile(self, context: Context, body: Body) -> Outcome:
        """Create or adopt the topic and keep its partitions, replicas and configuration as declared."""
        admin = await context.connections.admin(AlertTopic.of(body).connection)
        refuse_rival(context.registry, body)
        observed = await topics.observe_one(admin, AlertTopic.of(body).name)
        body = await self._recognise(context, body, observed)
        declared = AlertTopic.of(body)
        if mode_of(body) is Mode.OBSERVE:
            return self._look(context, body, observed)
        placement = await self._placement(admin, declared, observed)
        try:
            changes = plan_topic(declared, observed, placement)
        except Stalled as error:
            facts = {**without_plan(facts_of(body)), **self._seen(context, declared, observed)}
            return Outcome(Verdict.of_error(error), facts)
        if not is_enforced(body):
            return await self._plan(context, admin, body, observed, placement, changes)
        return await self._keep(context, admin, body, observed, placement, changes)

    async def _keep(
        self,
        context: Context,
        admin: KafkaAdmin,
        body: Body,
        observed: ObservedTopic | None,
        placement: Placement | None,
        changes: Sequence[TopicChange],
    ) -> Outcome:
        before = AlertTopic.of(body)
        if observed is not None and any(isinstance(change, Adopt) for change in changes):
            refuse_owned(context.registry, body, observed.topic_id)
        body = await self._write_ahead(context, body, changes)
        try:
            refused, created = await topic_changes.make(admin, changes, lambda change: context.changing(body, change))
        except topics.TopicExists as error:
            if before.ownership == "Creating":
                raise
            # Not asked for before, so no answer of ours got lost: somebody was faster.
            return Outcome(Verdict.of_error(error), _without(body, *_OF_A_CLAIM), error.retry_seconds)
        if changes:
            observed = created or await topic_changes.shown(admin, before.name, changes)
            placement = await self._placement(admin, AlertTopic.of(body), observed)
        if observed is None:
            return self._not_there(body, refused)
        problems = [*refused, *shortfalls(AlertTopic.of(body), observed, placement)]
        facts = {
            **self._seen(context, before, settled(observed, placement)),
            **topic_status.ledger(before, observed, changes),
        }
        return topic_status.report(AlertTopic.of(body), observed, placement, problems, facts)

    def _not_there(self, body: Body, refused: Sequence[Stalled]) -> Outcome:
        """The topic was not created, so nothing is ours; or it is gone again, or not shown yet."""
        if refused:
            return Outcome(
                Verdict.of_error(refused[0]), _without(body, *_OF_A_CLAIM, "partitions", "replicationFactor")
            )
        name = AlertTopic.of(body).name
        raise Waiting(Reason.PROGRESSING, f"the brokers do not show topic {name} yet; it is looked at again.", 0.5)

    async def _plan(
        self,
        context: Context,
        admin: KafkaAdmin,
        body: Body,
        observed: ObservedTopic | None,
        placement: Placement | None,
        changes: Sequence[TopicChange],
    ) -> Outcome:
        """Show what would be changed, and what Kafka would refuse; change nothing. What was recorded as ours stays recorded."""
        declared = AlertTopic.of(body)
        problems: list[ReconcileError] = []
        possible: list[TopicChange] = []
        for change in changes:
            refusal = await topic_trials.refusal(admin, change)
            if refusal is None:
                possible.append(change)
            elif isinstance(change, CreateTopic):
                problems.append(await topic_changes.about_new_topic(admin, change, refusal))
            else:
                problems.append(refusal)
        if observed is not None:
            problems += shortfalls(declared, observed, placement)
        facts = self._looked(context, body, observed)
        return topic_status.report_plan(mode_of(body), declared, observed, possible, problems, facts)

    def _look(self, context: Context, body: Body, observed: ObservedTopic | None) -> Outcome:
        facts = self._looked(context, body, observed)
        return topic_status.report_plan(mode_of(body), AlertTopic.of(body), observed, (), (), facts)

    def _looked(self, context: Context, body: Body, observed: ObservedTopic | None) -> dict[str, object]:
        kept = _without(body, "plan", "partitions", "replicationFactor")
        return {**kept, **self._seen(context, AlertTopic.of(body), observed)}

    def _seen(self, context: Context, declared: AlertTopic, observed: ObservedTopic | None) -> dict[str, object]:
        return topic_status.seen(observed, context.connections.cluster_id(declared.connection))

    async def _placement(
        self, admin: KafkaAdmin, declared: AlertTopic, observed: ObservedTopic | None
    ) -> Placement | None:
        """Look where the replicas are and go, but only when their number is to change, or is being changed."""
        target = declared.replication_factor
        differs = observed is not None and target is not None and wants_other_replicas(target, observed, None)
        if observed is not None and (differs or declared.replicas_target is not None):
            return await reassignments.placement(admin, observed)
        return None

    async def _recognise(self, context: Context, body: Body, observed: ObservedTopic | None) -> Body:
        """After a crash between creating the topic and writing down its id: what we were about to create is ours, if it is so."""
        declared = AlertTopic.of(body)
        if declared.ownership != "Creating" or observed is None:
            return body
        if is_as_created(declared, observed):
            return await context.claim(body, {"ownership": "Created", "topicId": observed.topic_id})
        return _forgetting(body, *_OF_A_CLAIM)

    async def _write_ahead(self, context: Context, body: Body, changes: Sequence[TopicChange]) -> Body:
        if all(isinstance(change, Adopt) for change in changes):
            return body
        facts = topic_status.intent(AlertTopic.of(body), changes)
        if any(isinstance(change, CreateTopic) for change in changes):
            body = _forgetting(body, "topicId")
        elif all(facts_of(body).get(name) == value for name, value in facts.items()):
            return body
        return await context.claim(body, facts)

    async def release(self, context: Context, body: Body) -> None:
        """Delete the topic if it is ours, the deletionPolicy says so, and nobody else lays claim to it."""
        declared = AlertTopic.of(body)
        if declared.ownership is None or declared.deletion_policy == "Retain" or not is_enforced(body):
            return
        if (other := claimant(context.registry, body)) is not None:
            await self._retain(context, body, f"{Key.of(other)} lays claim to it, so it stays")
            return
        await self.remove(context, body)

    async def remove(self, context: Context, body: Body) -> None:
        """Delete the topic if it is still the one that was ours, and empty where it has to be."""
        declared = AlertTopic.of(body)
        admin = await context.connections.admin(declared.connection)
        observed = await topics.observe_one(admin, declared.name)
        if observed is None or not _is_ours(declared, observed):
            return
        if declared.deletion_policy == "Delete" or await topics.is_empty(admin, observed):
            await topics.delete(admin, declared.name)
        else:
            await self._retain(context, body, "it holds messages, so it stays (deletionPolicy: DeleteIfEmpty)")

    async def _retain(self, context: Context, body: Body, why: str) -> None:
        text = f"topic {AlertTopic.of(body).name} is not deleted: {why}."
        await context.event(body, "Normal", Reason.RETAINED, text)


def _is_ours(declared: AlertTopic, observed: ObservedTopic) -> bool:
    if declared.topic_id is None:
        return is_as_created(declared, observed)
    return declared.topic_id == observed.topic_id


def _forgetting(body: Body, *names: str) -> Body:
    return {**body, "status": {key: value for key, value in (body.get("status") or {}).items() if key not in names}}


def _without(body: Body, *names: str) -> dict[str, object]:
    return {key: value for key, value in facts_of(body).items() if key not in names}
