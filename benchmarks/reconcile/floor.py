"""What the Kubernetes API server alone takes for a topic's writes: no operator, no Kafka, nobody who watches.

An operator can be no faster than the writes of which a managed resource consists: its creation, the finalizer, the status; and, at its
end, the deletion and the finalizer's removal.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import partial

from fink_distribution.resources.keys import FINALIZER
from reconcile.cases import TOPICS, Row
from reconcile.load import Load, Object, in_parallel

STATUS = {
    "observedGeneration": 1,
    "topicName": "floor.topic",
    "topicId": "AAAAAAAAAAAAAAAAAAAAAA",
    "clusterId": "AAAAAAAAAAAAAAAAAAAAAA",
    "ownership": "Created",
    "partitions": 1,
    "replicationFactor": 1,
    "configKeys": ["retention.ms"],
    "conditions": [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Reconciled",
            "message": "topic floor.topic has 1 partition(s), 1 replica(s).",
            "observedGeneration": 1,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
    ],
}


async def floor(load: Load, n: int, report: Callable[[Row], None]) -> None:
    """Write what n topics need, and undo it."""
    topics = [TOPICS.objects(load, number, "floor")["alerttopics"] for number in range(n)]

    async def make(topic: Object) -> None:
        name = topic["metadata"]["name"]
        await load.create("alerttopics", topic)
        await load.merge("alerttopics", name, {"metadata": {"finalizers": [FINALIZER]}})
        await load.merge("alerttopics", f"{name}/status", {"status": STATUS})

    async def unmake(topic: Object) -> None:
        name = topic["metadata"]["name"]
        await load.delete("alerttopics", name)
        await load.merge("alerttopics", name, {"metadata": {"finalizers": None}})

    cases: list[tuple[str, Callable[[Object], Awaitable[None]]]] = [("create", make), ("delete", unmake)]
    for case, work in cases:
        start = time.perf_counter()
        await in_parallel([partial(work, topic) for topic in topics])
        seconds = time.perf_counter() - start
        report(Row(f"{case} all, the API server alone: topics", n, round(seconds, 2)))
