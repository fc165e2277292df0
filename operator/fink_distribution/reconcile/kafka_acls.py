"""KafkaAcl: bindings in Kafka's authorizer."""

from __future__ import annotations

from fink_distribution.errors import Reason, Waiting
from fink_distribution.kafka import acls
from fink_distribution.plans.acls import plan_acls
from fink_distribution.reconcile.context import Context, Facts, Outcome, facts_of
from fink_distribution.resources.alert_topic import owned_topic_name
from fink_distribution.resources.conditions import State, Verdict, is_ready, why_not_ready
from fink_distribution.resources.kafka_acl import Binding, adopts, bindings, ledger, user_key
from fink_distribution.resources.kafka_connection import connection_name
from fink_distribution.resources.kafka_user import principal as principal_of
from fink_distribution.resources.kafka_user import user_name
from fink_distribution.resources.keys import Body, Key, Kind, is_deleted


class KafkaAcls:
    """The reconciler of KafkaAcl."""

    async def reconcile(self, context: Context, body: Body) -> Outcome:
        """Grant what is missing, then revoke what is ours and no longer declared."""
        user = self._user(context, body)
        # From the spec: the status of a user that is only looked at (mode: Observe) names no principal as its own.
        principal, connection = principal_of(user_name(user)), connection_name(user)
        admin = await context.connections.admin(connection)
        declared = bindings(body, lambda key: self._topic(context, key))
        observed = (await acls.observe(admin, principal)).get(principal, frozenset())
        owned = ledger(body)
        shared = self._shared(context, body, principal, connection)
        plan = plan_acls(declared, observed, owned, shared, adopt=adopts(body))
        if plan.grants and not plan.ledger <= owned:
            await context.claim(body, self._facts(context, principal, connection, owned | plan.ledger))
        if plan:
            context.changing(body, plan)
        await acls.grant(admin, principal, plan.grants)
        await acls.revoke(admin, principal, plan.revokes)
        text = f"{principal} has {len(declared)} permission(s)."
        return Outcome(
            Verdict(State.READY, Reason.RECONCILED, text), self._facts(context, principal, connection, plan.ledger)
        )

    async def release(self, context: Context, body: Body) -> None:
        """Revoke what is in the ledger, but for what another resource declares too."""
        status, owned = facts_of(body), ledger(body)
        if not owned:
            return
        principal, connection = status["principal"], status["connection"]
        admin = await context.connections.admin(connection)
        observed = (await acls.observe(admin, principal)).get(principal, frozenset())
        plan = plan_acls(frozenset(), observed, owned, self._shared(context, body, principal, connection))
        await acls.revoke(admin, principal, plan.revokes)

    def _user(self, context: Context, body: Body) -> Body:
        key = user_key(body)
        user = context.registry.get(key)
        if user is None:
            raise Waiting(Reason.DEPENDENCY_NOT_READY, f"{key} does not exist; create it, or correct userRef.")
        if not is_ready(user):
            raise Waiting(
                Reason.DEPENDENCY_NOT_READY,
                f"{key} is not Ready ({why_not_ready(user)}).",
            )
        return user

    def _topic(self, context: Context, key: Key) -> str:
        body = context.registry.get(key)
        name = owned_topic_name(body) if body is not None and not is_deleted(body) else None
        if name is None:
            state = "has no topic of its own yet" if body is not None else "does not exist"
            raise Waiting(Reason.DEPENDENCY_NOT_READY, f"{key} {state}; create it, or correct the topicRef.")
        return name

    def _shared(self, context: Context, body: Body, principal: str, connection: str) -> frozenset[Binding]:
        found: set[Binding] = set()
        for other in context.registry.of_kind(Kind.KAFKA_ACL):
            status = facts_of(other)
            same = (status.get("principal"), status.get("connection")) == (principal, connection)
            # One that is being deleted as well no longer needs the binding; else two would each leave it to the other.
            if same and other["metadata"]["uid"] != body["metadata"]["uid"] and not is_deleted(other):
                found |= ledger(other)
        return frozenset(found)

    def _facts(self, context: Context, principal: str, connection: str, owned: frozenset[Binding]) -> Facts:
        facts: Facts = {
            "principal": principal,
            "connection": connection,
            "bindingCount": len(owned),
            "bindings": [binding.to_status() for binding in sorted(owned)],
        }
        if cluster_id := context.connections.cluster_id(connection):
            facts["clusterId"] = cluster_id
        return facts
