"""What the pods of a stream need before they can run, and how its objects are made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fink_distribution.errors import Reason, Stalled, Waiting
from fink_distribution.reconcile.context import Context
from fink_distribution.resources.alert_topic import owned_topic_name
from fink_distribution.resources.conditions import is_ready, why_not_ready
from fink_distribution.resources.distribution_stream import DistributionStream, Output
from fink_distribution.resources.keys import Body, Key, is_controlled_by, is_deleted
from fink_distribution.streams.job_config import Surroundings
from fink_distribution.streams.manifest import Manifest, is_applied


async def ensure(context: Context, owner: Body, manifest: Manifest) -> dict[str, Any]:
    """Have an object be as its manifest says, and return it.

    Raises
    ------
    Stalled
        There is one of its name that the owner did not make.
    """
    metadata = manifest["metadata"]
    live = await context.cluster.get(manifest["apiVersion"], manifest["kind"], metadata["namespace"], metadata["name"])
    if live is not None and not is_controlled_by(live, owner):
        raise Stalled(
            Reason.CONFLICT,
            f"{manifest['kind']} {metadata['namespace']}/{metadata['name']} exists and was not made by this stream, so it is left "
            "alone. Remove it, or give the stream another name.",
        )
    if live is not None and is_applied(live, manifest):
        return live
    return await context.cluster.apply(manifest)


def topic_names(context: Context, outputs: Iterable[Output]) -> dict[Key, str]:
    """Return the names in Kafka of the outputs' topics; raises Waiting when one is not there."""
    return {output.topic: topic_name(context, f"output {output.name}", output.topic) for output in outputs}


def topic_name(context: Context, of: str, key: Key) -> str:
    """Return the name in Kafka of a topic, which is `of` the stream; raises Waiting when it is not there."""
    topic = context.registry.get(key)
    name = owned_topic_name(topic) if topic is not None and not is_deleted(topic) else None
    if name is not None:
        return name
    what = "does not exist; create it, or correct the topicRef"
    if topic is not None:
        what = f"has no topic of its own ({why_not_ready(topic)})"
    raise Waiting(Reason.DEPENDENCY_NOT_READY, f"{of}: {key} {what}.")


def ready_child(context: Context, key: Key) -> Body:
    """Return a KafkaUser or a KafkaAcl of the stream's own; raises Waiting until it is Ready."""
    child = context.registry.get(key)
    if child is None or not is_ready(child):
        because = "just made" if child is None else why_not_ready(child)
        raise Waiting(Reason.DEPENDENCY_NOT_READY, f"the stream's own {key} is not Ready ({because}).")
    return child


def surroundings(
    context: Context, stream: DistributionStream, image: str | None, topics: dict[Key, str], mechanism: str
) -> Surroundings:
    """Return what pods of the stream need to know that its spec does not say; raises Stalled when there is no image."""
    image = image or context.settings.job_image
    if not image:
        raise Stalled(
            Reason.IMAGE_PULL_FAILED,
            "no image: spec.image is not set and the operator was installed without one (FINK_JOB_IMAGE, the chart's job.image).",
        )
    return Surroundings(
        connection=context.connections.declared(stream.connection),
        mechanism=mechanism,
        topics=topics,
        image=image,
        image_pull_policy=context.settings.job_image_pull_policy,
    )
