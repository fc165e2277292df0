"""A good configuration of the job, and variations of it."""

from __future__ import annotations

import copy
from typing import Any

DOCUMENT: dict[str, Any] = {
    "version": 1,
    "stream": {"namespace": "astro", "name": "ztf"},
    "source": {"type": "parquet", "path": "/data/science"},
    "checkpoint": {"path": "/data/checkpoint"},
    "kafka": {
        "bootstrapServers": "broker:9092",
        "securityProtocol": "SASL_PLAINTEXT",
        "saslMechanism": "SCRAM-SHA-512",
        "credentialsDirectory": "/credentials",
    },
    "outputs": [{"name": "all", "topic": "t-all"}, {"name": "sn", "topic": "t-sn", "filter": {"sql": "a > 1"}}],
    "trigger": {"intervalSeconds": 5},
    "progress": {"to": "log"},
    "spark": {"conf": {"spark.master": "local[2]"}},
}


def changed(**places: Any) -> dict[str, Any]:
    """DOCUMENT with values at places like `kafka__saslMechanism`; ... removes."""
    document = copy.deepcopy(DOCUMENT)
    for place, value in places.items():
        *way, last = place.split("__")
        target: Any = document
        for step in way:
            target = target[int(step) if step.isdigit() else step]
        if value is ...:
            del target[last]
        else:
            target[int(last) if last.isdigit() else last] = value
    return document
