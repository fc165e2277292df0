"""The manifests by which the operator does what `fink start distribution` does. Pure."""

from __future__ import annotations

from typing import Any

from fink_distribution.local_jobs.documents import STREAM, choice
from fink_distribution.local_jobs.settings import Distribution
from fink_distribution.manifests.exporting import Manifest, Target
from fink_distribution.resources.keys import Kind
from fink_distribution.resources.stream_source import EARLIEST

SCIENCE_CLAIM, CHECKPOINT_CLAIM = "science", "checkpoint"


def stream_manifest(settings: Distribution, alert_topic: str, namespace: str | None) -> Manifest:
    """Return the DistributionStream.

    Parameters
    ----------
    alert_topic
        The name of the AlertTopic.
    """
    source: dict[str, Any] = {"parquet": {"claimName": SCIENCE_CLAIM}}
    if settings.starting_from != EARLIEST:
        source["startingFrom"] = settings.starting_from
    output = {"name": STREAM, "topicRef": {"name": alert_topic}, **choice(settings)}
    spec = {
        "source": source,
        "checkpoint": {"claimName": CHECKPOINT_CLAIM},
        "outputs": [output],
        "run": {"intervalSeconds": settings.interval},
    }
    return Target(namespace).manifest(Kind.DISTRIBUTION_STREAM, STREAM, spec)


def remarks(settings: Distribution) -> tuple[str, ...]:
    """Return what a reader of the manifests has to know besides."""
    return (
        "What fink start distribution does, declared. It needs two PersistentVolumeClaims of its namespace:",
        f"{SCIENCE_CLAIM}, which holds what lies in {settings.science},",
        f"{CHECKPOINT_CLAIM}, which begins anew;",
        "and a KafkaConnection named default, which the operator's administrator makes.",
    )
