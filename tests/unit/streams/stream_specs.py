"""A stream with three outputs, and what surrounds it."""

from __future__ import annotations

from typing import Any

from fink_distribution.resources.kafka_connection import KafkaConnection
from fink_distribution.resources.keys import Key, Kind
from fink_distribution.streams.job_config import Surroundings

SPEC: dict[str, Any] = {
    "source": {"parquet": {"claimName": "science", "path": "ztf/", "idColumn": "candid"}},
    "checkpoint": {"claimName": "checkpoint"},
    "outputs": [
        {"name": "all", "topicRef": {"name": "all"}, "drop": ["cutoutScience"], "rename": {"ra": "candidate_ra"}},
        {"name": "sn", "topicRef": {"name": "sn"}, "filter": {"sql": "snn_sn_vs_all > 0.5"}, "select": ["objectId"]},
        {
            "name": "sso",
            "topicRef": {"name": "sso"},
            "filter": {"python": "fink_filters.sso"},
            "format": "Json",
            "compatibility": "None",
        },
    ],
}
AROUND = Surroundings(
    connection=KafkaConnection("default", "kafka:9092", "kafka:9092", None, None, None),
    mechanism="SCRAM-SHA-512",
    topics={Key(Kind.ALERT_TOPIC, "ns", name): f"fink_{name}" for name in ("all", "sn", "sso")},
    image="job:1",
    image_pull_policy="IfNotPresent",
)
