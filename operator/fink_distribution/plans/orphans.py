"""Whether what a deleted resource left in Kafka is still to be removed."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from fink_distribution.plans.topics import ObservedTopic
from fink_distribution.resources.keys import Body, Key, Kind, is_deleted
from fink_distribution.resources.orphans import Orphan
from fink_distribution.resources.references import claim, has_ownership


class Keep(StrEnum):
    """Why an orphan is left as it is, and forgotten."""

    OTHER_CLUSTER = "it is in another Kafka cluster than the one that the connection is of now"
    TAKEN_OVER = "another resource has taken it over"
    RECREATED = "somebody has deleted it and made it anew"
    UNKNOWN_TOPIC = "nobody wrote down which topic it was before Kafka went away"
    GONE = "it is gone already"


def reason_to_keep(
    orphan: Orphan, connection: str, cluster_id: str, resources: Iterable[Body], topic: ObservedTopic | None
) -> Keep | None:
    """Return why an orphan must not be removed; None when it is to be.

    Parameters
    ----------
    connection
        The KafkaConnection whose status remembers the orphan.
    cluster_id
        Which cluster that is now.
    topic
        The topic of the orphan's name, if it is one and there is one.
    """
    if orphan.cluster_id not in (None, cluster_id):
        return Keep.OTHER_CLUSTER
    if any(_takes(body, orphan, connection) for body in resources):
        return Keep.TAKEN_OVER
    if orphan.key.kind is not Kind.ALERT_TOPIC:
        return None
    if topic is None:
        return Keep.GONE
    if orphan.topic_id is None:
        return Keep.UNKNOWN_TOPIC
    return Keep.RECREATED if topic.topic_id != orphan.topic_id else None


def _takes(body: Body, orphan: Orphan, connection: str) -> bool:
    """Say whether a resource owns what was left behind, or would adopt it with all it holds."""
    if Key.of(body).kind is not orphan.key.kind or body["metadata"]["uid"] == orphan.uid:
        return False
    wanted = claim(orphan.body(connection))
    if wanted is None or claim(body) != wanted:
        return False
    return has_ownership(body) or (not is_deleted(body) and body["spec"].get("adoptionPolicy") == "Adopt")
