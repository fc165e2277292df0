"""KafkaConnection: whether a Kafka cluster is there, and the right one."""

from __future__ import annotations

from fink_distribution.errors import Reason, Stalled, Waiting
from fink_distribution.reconcile.context import Context, Outcome
from fink_distribution.resources.conditions import State, Verdict
from fink_distribution.resources.kafka_connection import KafkaConnection
from fink_distribution.resources.keys import Body, Key, is_deleted

_RETRY_SECONDS = 5.0


class KafkaConnections:
    """The reconciler of KafkaConnection: it asks the cluster who it is, again and again."""

    async def reconcile(self, context: Context, body: Body) -> Outcome:
        """Log in and compare the cluster's id with the pinned one."""
        settings = context.settings
        namespace = body["metadata"]["namespace"]
        if namespace != settings.namespace:
            raise Stalled(
                Reason.NOT_HONOURED,
                f"KafkaConnections are honoured only in the operator's namespace, {settings.namespace}; this one, in {namespace}, does "
                "nothing. Create it there, or name an existing one in connectionRef.",
            )
        connection = KafkaConnection.of(body)
        try:
            facts = await (await context.connections.open(connection)).facts()
        except Stalled as error:
            # A corrected Secret raises no event that we may watch, so it is read again before long.
            return Outcome(Verdict.of_error(error), {}, _RETRY_SECONDS)
        found = {"clusterId": facts.cluster_id, "brokers": facts.brokers}
        if connection.cluster_id not in (None, facts.cluster_id):
            raise Stalled(
                Reason.CLUSTER_MISMATCH,
                f"{connection.bootstrap_servers} is cluster {facts.cluster_id}, but spec.clusterId pins {connection.cluster_id}; nothing is "
                "written to it. Correct bootstrapServers or clusterId.",
            )
        text = f"{connection.bootstrap_servers} answers: cluster {facts.cluster_id}, {facts.brokers} broker(s)."
        return Outcome(Verdict(State.READY, Reason.CONNECTED, text), found, settings.connection_probe_seconds)

    async def release(self, context: Context, body: Body) -> None:
        """Wait until nobody needs the connection: what is deleted with it has to be cleaned up through it."""
        users = [other for other in context.registry.dependents(Key.of(body)) if is_deleted(other)]
        if users:
            names = ", ".join(sorted(str(Key.of(other)) for other in users)[:5])
            raise Waiting(
                Reason.TERMINATING,
                f"waits for {len(users)} resource(s) that are being deleted through it: {names}.",
                1.0,
            )
        context.connections.close(body["metadata"]["name"])
