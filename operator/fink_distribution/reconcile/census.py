"""What the API server has, as a whole: taken at the start, so that no resource is judged before its rivals are known, and again and
again, because who watches learns nothing of what went while the watch was broken off for too long."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from fink_distribution.cluster.api import Cluster, Gone
from fink_distribution.reconcile.policies import wake_waiting
from fink_distribution.reconcile.registry import Registry
from fink_distribution.resources.keys import API_VERSION, Body, Kind

logger = logging.getLogger(__name__)


async def take(cluster: Cluster, registry: Registry, namespaces: Sequence[str]) -> None:
    """Make the registry agree with the API server.

    Parameters
    ----------
    namespaces
        Those that are watched; empty for all.

    Raises
    ------
    ReconcileError
        A listing failed; what the listings before it said is noted.
    """
    for kind in Kind:
        for namespace in namespaces or (None,):
            await _take(cluster, registry, kind, namespace)


async def _take(cluster: Cluster, registry: Registry, kind: Kind, namespace: str | None) -> None:
    # What comes to be known during the listing may be younger than it, so its absence from it says nothing.
    before = [body for body in registry.of_kind(kind) if namespace in (None, body["metadata"]["namespace"])]
    present = set()
    try:
        async for found in cluster.listing(API_VERSION, kind, namespace):
            registry.see(found)
            present.add(found["metadata"]["uid"])
    except Gone:
        logger.warning("%s: the API server does not know this kind; install the CRDs of this version", kind)
        return
    for body in before:
        if body["metadata"]["uid"] not in present:
            forget(registry, body)


def forget(registry: Registry, body: Body) -> None:
    """Note that a resource is gone, and have those looked at to whom that leaves room."""
    registry.forget(body)
    wake_waiting(registry, body)
