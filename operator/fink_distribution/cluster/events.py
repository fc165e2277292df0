"""Events, as `kubectl describe` shows them."""

from __future__ import annotations

from typing import Any

from fink_distribution.cluster.api import Cluster
from fink_distribution.resources.keys import Body

COMPONENT = "fink-distribution"
_LIMIT = 1024


async def record(cluster: Cluster, about: Body, kind: str, reason: str, message: str, now: str) -> None:
    """Write one Event.

    Parameters
    ----------
    kind
        Normal or Warning.
    now
        RFC 3339 time.
    """
    metadata: dict[str, Any] = about["metadata"]
    await cluster.create(
        {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{metadata['name'][:200]}.", "namespace": metadata["namespace"]},
            "involvedObject": {
                "apiVersion": about["apiVersion"],
                "kind": about["kind"],
                "namespace": metadata["namespace"],
                "name": metadata["name"],
                "uid": metadata["uid"],
            },
            "type": kind,
            "reason": reason,
            "message": message[:_LIMIT],
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
    )
