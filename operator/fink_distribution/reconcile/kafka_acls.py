"""KafkaAcl: bindings in Kafka's authorizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from fink_distribution.errors import Reason, ReconcileError, Stalled, Waiting
from fink_distribution.kafka import acls
from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.plans.acls import AclPlan, plan_acls
from fink_distribution.reconcile import policies
from fink_distribution.reconcile.context import Context, Facts, Outcome, facts_of
from fink_distribution.resources.alert_topic import owned_topic_name
from fink_distribution.resources.conditions import State, Verdict, is_ready, why_not_ready
from fink_distribution.resources.grants import grant_for, missing_grants
from fink_distribution.resources.kafka_acl import (
    LEDGER_LIMIT,
    Binding,
    Item,
    adopts,
    connection_of,
    items,
    ledger,
    user_key,
)
from fink_distribution.resources.kafka_connection import connection_name
from fink_distribution.resources.kafka_user import principal as principal_of
from fink_distribution.resources.kafka_user import user_name
from fink_distribution.resources.keys import Body, is_deleted
from fink_distribution.resources.modes import is_enforced, mode_of, plan_facts, verdict, without_plan
from fink_distribution.resources.references import with_bindings_of


@dataclass
class Declaration:
    """What a spec declares, as far as it is allowed and known.

    Attributes
    ----------
    forbidden
        Why entries are left out; what they gave earlier is taken back.
    waiting
        Why entries are not known yet; nothing is granted before they are.
    """

    principal: str
    connection: str
    bindings: set[Binding] = field(default_factory=set)
    forbidden: list[ReconcileError] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)

    @property
    def problem(self) -> ReconcileError | None:
        """What to report: first what a person has to mend."""
        found: list[ReconcileError] = [*self.forbidden, *self.waiting]
        return next((each for each in found if isinstance(each, Stalled)), found[0] if found else None)


class KafkaAcls:
    """The reconciler of KafkaAcl."""

    async def reconcile(self, context: Context, body: Body) -> Outcome:
        """Grant what is missing, then revoke what is ours and no longer declared or no longer allowed."""
        declared = self._declaration(context, body)
        if declared.waiting and not (declared.forbidden and ledger(body)):
            raise declared.problem or declared.waiting[0]
        if declared.forbidden and not declared.bindings and not ledger(body):
            return self._outcome(context, body, declared, ledger(body))
        admin = await context.connections.admin(declared.connection)
        plan = await self._plan(context, body, admin, declared)
        if not is_enforced(body):
            return self._look(context, body, declared, plan)
        owned = await self._apply(context, body, admin, declared, plan)
        return self._outcome(context, body, declared, owned)

    async def release(self, context: Context, body: Body) -> None:
        """Revoke what is in the ledger, but for what another resource declares too."""
        status = facts_of(body)
        if not ledger(body) or not is_enforced(body):
            return
        declared = Declaration(status["principal"], status["connection"])
        admin = await context.connections.admin(declared.connection)
        plan = plan_acls(frozenset(), frozenset(), ledger(body), self._shared(context, body, declared))
        await acls.revoke(admin, declared.principal, plan.revokes)

    # Observe and plan ---------------------------------------------------------------------------------------------

    def _declaration(self, context: Context, body: Body) -> Declaration:
        declared = self._subject(context, body)
        judged = policies.judge(context.registry, body, items(body), declared.connection)
        refused = [message for messages in judged.values() for message in messages]
        if refused:
            declared.forbidden.append(policies.violation(refused))
        for item, messages in judged.items():
            if not messages:
                self._add(context, body, declared, item)
        return declared

    def _subject(self, context: Context, body: Body) -> Declaration:
        spec, status = body["spec"], facts_of(body)
        key, known = user_key(body), connection_of(body)
        if key is None:
            return Declaration(spec["principal"], spec["connectionRef"]["name"])
        user = context.registry.get(key)
        if user is None:
            missing = Waiting(Reason.DEPENDENCY_NOT_READY, f"{key} does not exist; create it, or correct userRef.")
        elif is_ready(user):
            # From the spec: the status of a user that is only looked at (mode: Observe) names no principal as its own.
            return Declaration(principal_of(user_name(user)), connection_name(user))
        else:
            missing = Waiting(Reason.DEPENDENCY_NOT_READY, f"{key} is not Ready ({why_not_ready(user)}).")
            known = connection_name(user)
        if known is None:
            raise missing
        # Whom the bindings are for cannot change, so what is no longer allowed can be revoked without the user.
        return Declaration(status.get("principal", ""), known, waiting=[missing])

    def _add(self, context: Context, body: Body, declared: Declaration, item: Item) -> None:
        if item.topic is None:
            declared.bindings |= item.bindings()
            return
        topic = context.registry.get(item.topic)
        name = owned_topic_name(topic) if topic is not None and not is_deleted(topic) else None
        is_own = item.topic.namespace == body["metadata"]["namespace"]
        if topic is None or is_deleted(topic):
            gone = Waiting(
                Reason.DEPENDENCY_NOT_READY,
                f"{item.path}: {item.topic} does not exist; create it, or correct the topicRef.",
            )
            # With another namespace's AlertTopic its consent is gone; without one's own, one waits for it.
            (declared.waiting if is_own else declared.forbidden).append(gone)
        elif problem := _objection(topic, body, declared, item):
            declared.forbidden.append(problem)
        elif name is None:
            text = f"{item.path}: {item.topic} has no topic of its own yet ({why_not_ready(topic)})."
            declared.waiting.append(Waiting(Reason.DEPENDENCY_NOT_READY, text))
        else:
            declared.bindings |= item.bindings(name)

    async def _plan(self, context: Context, body: Body, admin: KafkaAdmin, declared: Declaration) -> AclPlan:
        observed = await acls.observe_one(admin, declared.principal)
        shared = self._shared(context, body, declared)
        plan = plan_acls(declared.bindings, observed, ledger(body), shared, adopt=adopts(body))
        if not declared.waiting:
            return plan
        # Something is forbidden, which does not wait: it is taken back, and nothing is given.
        return AclPlan((), plan.revokes, ledger(body) - set(plan.revokes))

    def _shared(self, context: Context, body: Body, declared: Declaration) -> frozenset[Binding]:
        found: set[Binding] = set()
        for other in context.registry.marked(with_bindings_of(declared.principal, declared.connection)):
            # One that is being deleted as well no longer needs the binding; else two would each leave it to the other.
            if other["metadata"]["uid"] != body["metadata"]["uid"] and not is_deleted(other):
                found |= ledger(other)
        return frozenset(found)

    # Apply --------------------------------------------------------------------------------------------------------

    async def _apply(
        self, context: Context, body: Body, admin: KafkaAdmin, declared: Declaration, plan: AclPlan
    ) -> frozenset[Binding]:
        owned = ledger(body)
        if plan:
            context.changing(body, plan)
        if len(owned | plan.ledger) > LEDGER_LIMIT:
            # Changes that failed half way have filled the ledger: room first, or what is made could not be written down.
            await acls.revoke(admin, declared.principal, plan.revokes)
            owned = owned - set(plan.revokes)
        if plan.grants and not plan.ledger <= owned:
            await context.claim(body, self._facts(context, declared, owned | plan.ledger))
        await acls.grant(admin, declared.principal, plan.grants)
        await acls.revoke(admin, declared.principal, plan.revokes)
        return plan.ledger

    # Report -------------------------------------------------------------------------------------------------------

    def _outcome(self, context: Context, body: Body, declared: Declaration, owned: frozenset[Binding]) -> Outcome:
        text = f"{declared.principal} has {len(declared.bindings)} permission(s)."
        found = Verdict(State.READY, Reason.RECONCILED, text)
        if declared.problem is not None:
            found = Verdict.of_error(_with_rest(declared, declared.problem))
        return Outcome(found, self._facts(context, declared, owned))

    def _look(self, context: Context, body: Body, declared: Declaration, plan: AclPlan) -> Outcome:
        """Report without changing anything; what was recorded as ours stays recorded."""
        changes = plan.lines()
        what = f"{declared.principal} ({len(declared.bindings)} permission(s))"
        found = verdict(mode_of(body), what, changes)
        if declared.problem is not None:
            found = Verdict.of_error(declared.problem)
        seen = {"principal": declared.principal, "connection": declared.connection}
        return Outcome(found, {**without_plan(facts_of(body)), **seen, **plan_facts(mode_of(body), changes)})

    def _facts(self, context: Context, declared: Declaration, owned: frozenset[Binding]) -> Facts:
        facts: Facts = {
            "principal": declared.principal,
            "connection": declared.connection,
            "bindingCount": len(owned),
            "bindings": [binding.to_status() for binding in sorted(owned)],
        }
        if cluster_id := context.connections.cluster_id(declared.connection):
            facts["clusterId"] = cluster_id
        return facts


def _objection(topic: Body, body: Body, declared: Declaration, item: Item) -> Stalled | None:
    """Say why an AlertTopic that exists does not serve an entry, if so."""
    namespace, key = body["metadata"]["namespace"], item.topic
    if connection_name(topic) != declared.connection:
        return Stalled(
            Reason.INVALID_CONFIG,
            f"{item.path}: {key} is a topic of KafkaConnection {connection_name(topic)}, and these permissions are for "
            f"{declared.connection}. Name a topic of that connection.",
        )
    missing = missing_grants(topic, namespace, item.operations)
    if not missing:
        return None
    wanted = grant_for(item.operations)
    cure = (
        f"to its spec.grants: {{namespace: {namespace}, operations: {wanted}}}"
        if wanted
        else "nothing: no grant covers it"
    )
    return Stalled(
        Reason.GRANT_MISSING,
        f"{item.path}: {key} does not grant namespace {namespace} {', '.join(missing)}. Who owns it can add {cure}.",
    )


def _with_rest(declared: Declaration, first: ReconcileError) -> ReconcileError:
    """Return the problem to report, its message followed by the others' and by what is granted nevertheless."""
    others: Sequence[ReconcileError] = [each for each in (*declared.forbidden, *declared.waiting) if each is not first]
    text = " ".join([first.message, *(each.message for each in others)])
    rest = f" {declared.principal} has the other {len(declared.bindings)} permission(s)." if declared.bindings else ""
    kind = Stalled if isinstance(first, Stalled) else Waiting
    return kind(first.reason, text + rest)
