"""Streams that the API server accepts, as the operator would run them."""

from __future__ import annotations

from typing import Any

import yaml

from chart.rendered import CHART
from fink_distribution.resources.distribution_stream import DistributionStream
from fink_distribution.resources.kafka_connection import KafkaConnection
from fink_distribution.streams.job_config import Surroundings

ACCEPTED = CHART.parents[1] / "tests" / "cluster" / "accepted"


def accepted_stream(file: str, namespace: str) -> tuple[dict[str, Any], DistributionStream, Surroundings]:
    """A stream of tests/cluster/accepted, as an object, as its spec, and with what surrounds it."""
    body: dict[str, Any] = yaml.safe_load((ACCEPTED / f"{file}.yaml").read_text())
    body["metadata"] |= {"namespace": namespace, "uid": "0f0e0d0c-0000-4000-8000-000000000000"}
    stream = DistributionStream.of(body)
    around = Surroundings(
        connection=KafkaConnection("default", "kafka:9092", "kafka:9092", None, None, None),
        mechanism="SCRAM-SHA-512",
        topics={output.topic: output.topic.name for output in stream.outputs},
        image="job",
        image_pull_policy="Never",
    )
    return body, stream, around
