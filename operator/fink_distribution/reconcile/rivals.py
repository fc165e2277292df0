"""Two resources, one topic or user: the first stays its owner."""

from __future__ import annotations

from fink_distribution.errors import Reason, Stalled
from fink_distribution.reconcile.registry import Registry
from fink_distribution.resources.keys import Body, Key
from fink_distribution.resources.references import claim


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
