"""Whether the cluster that answers is the one that a KafkaConnection means."""

from __future__ import annotations

from fink_distribution.errors import Reason, Stalled
from fink_distribution.resources.kafka_connection import KafkaConnection


def mismatch(connection: KafkaConnection, remembered: str | None, answer: str) -> Stalled | None:
    """Compare a cluster's answer with the pinned id, or, without one, with the id that it first answered with.

    Parameters
    ----------
    remembered
        The id of the cluster that has been written to so far.
    """
    if connection.cluster_id is not None:
        if connection.cluster_id == answer:
            return None
        return Stalled(
            Reason.CLUSTER_MISMATCH,
            f"{connection.bootstrap_servers} is cluster {answer}, but spec.clusterId pins {connection.cluster_id}; nothing is "
            "written to it. Correct bootstrapServers or clusterId.",
        )
    if remembered in (None, answer):
        return None
    return Stalled(
        Reason.CLUSTER_MISMATCH,
        f"{connection.bootstrap_servers} was cluster {remembered} and is now cluster {answer}; nothing is written to it. Correct "
        f"bootstrapServers, or, if the move is meant, set clusterId: {answer}.",
    )
