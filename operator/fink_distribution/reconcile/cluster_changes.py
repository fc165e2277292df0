"""What a resource made in one Kafka cluster is not its own in another: its ledger counts only where it was written.

A KafkaConnection that finds another cluster stalls (see `plans.cluster_identity`). Once a person has said that the move is meant,
by `spec.clusterId`, its resources start anew there, and what they made in the old cluster stays in it.
"""

from __future__ import annotations

from fink_distribution.errors import Reason
from fink_distribution.reconcile.context import Context, facts_of
from fink_distribution.resources.conditions import State, Verdict, is_ready
from fink_distribution.resources.kafka_connection import connection_in_use
from fink_distribution.resources.keys import Body, Key, Kind


async def start_anew_in_another_cluster(context: Context, body: Body) -> Body:
    """Empty the ledger of a resource whose connection has moved, and say so; return the resource as it then is."""
    moved = _move(context, body)
    if moved is None:
        return body
    before, now = moved
    text = (
        f"its KafkaConnection is of cluster {now} now, so it starts anew there; what it made in cluster {before} is left there, and "
        "has to be removed by hand."
    )
    await context.event(body, "Warning", Reason.CLUSTER_CHANGED, text)
    return await context.report(body, Verdict(State.RECONCILING, Reason.PROGRESSING, text), {})


def ledger_for_this_cluster(context: Context, body: Body) -> Body:
    """Return the resource as it is to be released: without a ledger when that is of another cluster."""
    if _move(context, body) is None:
        return body
    facts = facts_of(body)
    return {**body, "status": {key: value for key, value in body["status"].items() if key not in facts}}


def _move(context: Context, body: Body) -> tuple[str, str] | None:
    """Return the ids of the cluster that the ledger is of, and of the one that the connection is of; None if it is the same."""
    connection = connection_in_use(body)
    before = facts_of(body).get("clusterId")
    if Key.of(body).kind is Kind.KAFKA_CONNECTION or connection is None or before is None:
        return None
    found = context.registry.get(Key(Kind.KAFKA_CONNECTION, context.settings.namespace, connection))
    if found is None or not is_ready(found):
        return None
    now = facts_of(found).get("clusterId")
    return None if now in (None, before) else (before, now)
