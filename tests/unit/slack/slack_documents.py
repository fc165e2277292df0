"""A good configuration of the notifier, and variations of it."""

from __future__ import annotations

import copy
from typing import Any

DOCUMENT: dict[str, Any] = {
    "version": 1,
    "slack": {"tokenFile": "/slack/token"},
    "kafka": {
        "bootstrapServers": "broker:9092",
        "securityProtocol": "SASL_PLAINTEXT",
        "saslMechanism": "SCRAM-SHA-512",
        "credentialsDirectory": "/credentials",
    },
    "group": "slack-notifier",
    "routes": [
        {"topics": ["t-sn"], "to": "#sn", "where": [{"field": "candidate.magpsf", "operator": "<", "value": 18}]},
        {"topics": ["t-all"], "toChannelOfClass": {"channels": ["#RRLyr"]}},
    ],
}


def changed(**more: Any) -> dict[str, Any]:
    """DOCUMENT with other values; ... removes."""
    document = {**copy.deepcopy(DOCUMENT), **more}
    return {name: value for name, value in document.items() if value is not ...}
