"""Two resources, one topic or user: the first stays its owner."""

from __future__ import annotations

from fink_distribution.errors import Reason, Stalled
from fink_distribution.reconcile.registry import Registry
from fink_distribution.resources.keys import Body, Key, is_deleted
from fink_distribution.resources.references import claim, with_topic_id


def refuse_rival(registry: Registry, body: Body) -> None:
    """Refuse what another resource has claimed before.

    Raises
    ------
    Stalled
        With reason Conflict, naming the other resource.
    """
    rival = registry.rival(body)
    wanted = claim(body)
    if rival is not None and wanted is not None:
        kind, _, name = wanted
        what = "topic" if kind == "AlertTopic" else "user"
        raise Stalled(
            Reason.CONFLICT,
            f"{what} {name} belongs to {Key.of(rival)}, which came first; this resource changes nothing. Delete one of the two, or give "
            "them different names in Kafka.",
        )


def refuse_owned(registry: Registry, body: Body, topic_id: str) -> None:
    """Refuse to adopt a topic that another resource owns, though by another KafkaConnection to the same cluster.

    Raises
    ------
    Stalled
        With reason Conflict, naming the other resource.
    """
    for other in registry.marked(with_topic_id(topic_id)):
        status = other.get("status") or {}
        owns = status.get("ownership") in ("Created", "Adopted")
        if owns and other["metadata"]["uid"] != body["metadata"]["uid"]:
            raise Stalled(
                Reason.CONFLICT,
                f"topic {status.get('topicName')} belongs to {Key.of(other)}; this resource changes nothing. Delete one of the two.",
            )


def claimant(registry: Registry, body: Body) -> Body | None:
    """Return another resource that lays claim to the same, and is not being deleted itself; or None."""
    return next((other for other in registry.claimants(body) if not is_deleted(other)), None)
