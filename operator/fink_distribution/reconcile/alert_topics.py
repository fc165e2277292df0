"""AlertTopic: a topic in Kafka."""

from __future__ import annotations

from collections.abc import Sequence

from fink_distribution.errors import Reason, Stalled
from fink_distribution.kafka import topics
from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.plans.topics import (
    AddPartitions,
    Adopt,
    AlterConfig,
    CreateTopic,
    ObservedTopic,
    TopicChange,
    plan_topic,
    shortfall,
)
from fink_distribution.reconcile.context import Context, Facts, Outcome, facts_of
from fink_distribution.reconcile.rivals import refuse_rival
from fink_distribution.resources.alert_topic import AlertTopic
from fink_distribution.resources.conditions import State, Verdict
from fink_distribution.resources.keys import Body
from fink_distribution.resources.modes import Mode, is_enforced, mode_of, plan_facts, verdict, without_plan


class AlertTopics:
    """The reconciler of AlertTopic."""

    async def reconcile(self, context: Context, body: Body) -> Outcome:
        """Create or adopt the topic and keep its partitions and configuration as declared."""
        admin = await context.connections.admin(AlertTopic.of(body).connection)
        refuse_rival(context.registry, body)
        observed = await topics.observe_one(admin, AlertTopic.of(body).name)
        body = await self._recognise(context, body, observed)
        declared = AlertTopic.of(body)
        if not is_enforced(body):
            return self._look(context, body, observed)
        changes = plan_topic(declared, observed)
        if changes:
            body = await self._write_ahead(context, body, declared, observed)
        for change in changes:
            context.changing(body, change)
            observed = await self._apply(admin, change, observed)
        if changes:
            observed = await topics.observe_one(admin, declared.name)
        if observed is None:
            raise Stalled(
                Reason.CONFLICT, f"topic {declared.name} was deleted by somebody else while it was being changed."
            )
        problem = shortfall(declared, observed)
        text = (
            f"topic {observed.name} has {observed.partitions} partition(s), {observed.replication_factor} replica(s)."
        )
        verdict = Verdict.of_error(problem) if problem else Verdict(State.READY, Reason.RECONCILED, text)
        return Outcome(verdict, self._facts(context, declared, observed, changes))

    def _look(self, context: Context, body: Body, observed: ObservedTopic | None) -> Outcome:
        """Report without changing anything; what was recorded as ours stays recorded."""
        declared, mode = AlertTopic.of(body), mode_of(body)
        changes = plan_topic(declared, observed) if mode is Mode.PLAN else ()
        what = f"topic {declared.name}"
        if observed is not None:
            what = f"{what} ({observed.partitions} partition(s), {observed.replication_factor} replica(s))"
        seen = {} if observed is None else self._seen(context, declared, observed)
        facts = {**without_plan(facts_of(body)), **seen, **plan_facts(mode, changes)}
        return Outcome(verdict(mode, what, changes), facts)

    async def _recognise(self, context: Context, body: Body, observed: ObservedTopic | None) -> Body:
        """After a crash between creating the topic and writing down its id: what we were about to create is ours."""
        status = facts_of(body)
        if status.get("ownership") == "Creating" and observed is not None:
            return await context.claim(body, {"ownership": "Created", "topicId": observed.topic_id})
        return body

    async def _write_ahead(
        self, context: Context, body: Body, declared: AlertTopic, observed: ObservedTopic | None
    ) -> Body:
        keys = sorted(declared.config_keys | declared.config.keys())
        facts: Facts = {"topicName": declared.name}
        if keys:
            facts["configKeys"] = keys
        if observed is None:
            facts["ownership"] = "Creating"
            return await context.claim({**body, "status": _without(body, "topicId")}, facts)
        if facts_of(body).get("configKeys", []) != keys and declared.ownership is not None:
            return await context.claim(body, facts)
        return body

    async def _apply(
        self, admin: KafkaAdmin, change: TopicChange, observed: ObservedTopic | None
    ) -> ObservedTopic | None:
        match change:
            case CreateTopic():
                return await topics.create(admin, change)
            case AddPartitions():
                await topics.add_partitions(admin, change)
            case AlterConfig():
                await topics.alter_config(admin, change)
            case Adopt():
                pass
        return observed

    def _facts(
        self, context: Context, declared: AlertTopic, observed: ObservedTopic, changes: Sequence[TopicChange]
    ) -> Facts:
        made = {CreateTopic: "Created", Adopt: "Adopted"}
        facts: Facts = {
            **self._seen(context, declared, observed),
            "topicId": observed.topic_id,
            "ownership": next((made[type(each)] for each in changes if type(each) in made), declared.ownership),
        }
        if declared.config:
            facts["configKeys"] = sorted(declared.config)
        return facts

    def _seen(self, context: Context, declared: AlertTopic, observed: ObservedTopic) -> Facts:
        facts: Facts = {
            "topicName": observed.name,
            "partitions": observed.partitions,
            "replicationFactor": observed.replication_factor,
        }
        if cluster_id := context.connections.cluster_id(declared.connection):
            facts["clusterId"] = cluster_id
        return facts

    async def release(self, context: Context, body: Body) -> None:
        """Delete the topic if it is ours and the deletionPolicy says so."""
        declared = AlertTopic.of(body)
        if declared.ownership is None or declared.deletion_policy == "Retain" or not is_enforced(body):
            return
        admin = await context.connections.admin(declared.connection)
        observed = await topics.observe_one(admin, declared.name)
        if observed is None or declared.topic_id not in (None, observed.topic_id):
            return
        if declared.deletion_policy == "Delete" or await topics.is_empty(admin, observed):
            await topics.delete(admin, declared.name)
        else:
            await context.event(
                body,
                "Normal",
                Reason.RETAINED,
                f"topic {declared.name} holds messages, so it stays (deletionPolicy: DeleteIfEmpty).",
            )


def _without(body: Body, *names: str) -> dict[str, object]:
    return {key: value for key, value in (body.get("status") or {}).items() if key not in names}
