"""KafkaConnection: whether a Kafka cluster is there, and the right one."""

from __future__ import annotations

import hashlib

from fink_distribution.errors import Reason, ReconcileError, Stalled, Waiting
from fink_distribution.kafka.admin import ClusterFacts, KafkaAdmin
from fink_distribution.plans.cluster_identity import mismatch
from fink_distribution.reconcile import orphans
from fink_distribution.reconcile.context import Context, Facts, Outcome, facts_of
from fink_distribution.resources.conditions import Finding, State, Verdict
from fink_distribution.resources.kafka_connection import KafkaConnection
from fink_distribution.resources.keys import FINALIZER, Body, Key
from fink_distribution.resources.orphans import orphans_of

_RETRY_SECONDS = 5.0
_SILENT = {Reason.KAFKA_UNREACHABLE, Reason.TLS_FAILED}


class KafkaConnections:
    """The reconciler of KafkaConnection: it asks the cluster who it is, again and again."""

    async def reconcile(self, context: Context, body: Body) -> Outcome:
        """Log in, compare the cluster's id with the one that is meant, and clean up what is left behind there."""
        _refuse_elsewhere(context, body)
        connection = KafkaConnection.of(body)
        try:
            admin = await context.connections.open(connection)
            found = await admin.facts()
        except ReconcileError as error:
            # What was known stays. A corrected Secret raises no event that we may watch, so it is read again before long.
            return Outcome(Verdict.of_error(error), facts_of(body), _RETRY_SECONDS, (_reachable(error),))
        settings = context.settings
        text = f"{connection.bootstrap_servers} answers: cluster {found.cluster_id}, {found.brokers} broker(s)"
        answers = Finding("KafkaReachable", "True", "Answers", f"{text}.")
        if wrong := mismatch(connection, facts_of(body).get("clusterId"), found.cluster_id):
            verdict = Verdict.of_error(wrong)
            return Outcome(verdict, facts_of(body), settings.connection_probe_seconds, (answers,))
        facts = await self._facts(context, body, admin, found)
        if waiting := len(facts.get("orphans", ())):
            text = f"{text}; {waiting} orphan(s) still to be removed"
        verdict = Verdict(State.READY, Reason.CONNECTED, f"{text}.")
        return Outcome(verdict, facts, settings.connection_probe_seconds, (answers,))

    async def _facts(self, context: Context, body: Body, admin: KafkaAdmin, found: ClusterFacts) -> Facts:
        facts: Facts = {"clusterId": found.cluster_id, "brokers": found.brokers}
        if found.controller:
            facts["controller"] = found.controller
        if versions := await context.connections.versions(body["metadata"]["name"]):
            facts["kafkaVersion"] = versions.kafka
            if versions.metadata is not None:
                facts["metadataVersion"] = versions.metadata
        if admin.login.tls is not None and admin.login.tls.ca is not None:
            # Its change wakes those that hand the authority's certificate on to clients.
            facts["caSha256"] = hashlib.sha256(admin.login.tls.ca.encode()).hexdigest()
        return {**facts, **await orphans.clean_up(context, body, admin, found.cluster_id)}

    async def release(self, context: Context, body: Body) -> None:
        """Wait until nobody needs the connection: what is to go with other resources has to be cleaned up through it.

        So whatever order they are deleted in, it goes last, as a PersistentVolumeClaim that a pod still uses (kubernetes.io/pvc-protection).
        """
        users = [
            each
            for each in context.registry.dependents(Key.of(body))
            if FINALIZER in each["metadata"].get("finalizers", ())
        ]
        if users:
            names = ", ".join(sorted(str(Key.of(other)) for other in users)[:5])
            raise Waiting(
                Reason.TERMINATING,
                f"waits for {len(users)} resource(s) that still have something in Kafka to go with them: {names}. Delete them too.",
                1.0,
            )
        if listed := orphans_of(body):
            await self._clean_up_at_last(context, body, len(listed))
        context.connections.close(body["metadata"]["name"])

    async def _clean_up_at_last(self, context: Context, body: Body, count: int) -> None:
        connection = KafkaConnection.of(body)
        admin = await context.connections.open(connection)
        answer = (await admin.facts()).cluster_id
        if wrong := mismatch(connection, facts_of(body).get("clusterId"), answer):
            raise wrong
        if left := (await orphans.clean_up(context, body, admin, answer)).get("orphans"):
            raise Waiting(
                Reason.TERMINATING, f"{len(left)} of {count} orphan(s) are still to be removed from Kafka.", 1.0
            )


def _refuse_elsewhere(context: Context, body: Body) -> None:
    namespace, home = body["metadata"]["namespace"], context.settings.namespace
    if namespace != home:
        raise Stalled(
            Reason.NOT_HONOURED,
            f"KafkaConnections are honoured only in the operator's namespace, {home}; this one, in {namespace}, does nothing. Create it "
            "there, or name an existing one in connectionRef.",
        )


def _reachable(error: ReconcileError) -> Finding:
    """Return what a failed login says of the brokers: that they answer, that they do not, or nothing."""
    if error.reason in _SILENT:
        status = "False"
    else:
        status = "True" if error.reason is Reason.AUTHENTICATION_FAILED else "Unknown"
    return Finding("KafkaReachable", status, error.reason, error.message)
