"""DistributionStream: its own Kafka user and permissions, and the pods that run it."""

from __future__ import annotations

from typing import Any

from fink_distribution.cluster.api import Gone
from fink_distribution.errors import Reason, Stalled, Waiting
from fink_distribution.reconcile.context import Context, Facts, Outcome
from fink_distribution.resources.alert_topic import owned_topic_name
from fink_distribution.resources.conditions import is_ready, why_not_ready
from fink_distribution.resources.distribution_stream import DistributionStream
from fink_distribution.resources.kafka_user import KafkaUser
from fink_distribution.resources.keys import Body, Key, Kind, is_controlled_by, is_deleted
from fink_distribution.streams import health, layout
from fink_distribution.streams.job_config import Surroundings
from fink_distribution.streams.manifest import is_applied
from fink_distribution.streams.objects import HASH_ANNOTATION, children, template_hash, workload

_LOOK_AGAIN_SECONDS = 10.0


class DistributionStreams:
    """The reconciler of DistributionStream."""

    async def reconcile(self, context: Context, body: Body) -> Outcome:
        """Make the stream's children, wait for them, and run the driver with the declared configuration."""
        stream = DistributionStream.of(body)
        topics = {output.topic: self._topic(context, output.name, output.topic) for output in stream.outputs}
        for manifest in children(body, stream):
            await self._ensure(context, body, manifest)
        user = self._ready_child(context, Key(Kind.KAFKA_USER, stream.namespace, stream.child_name))
        self._ready_child(context, Key(Kind.KAFKA_ACL, stream.namespace, stream.child_name))
        await self._claims(context, stream)
        around = self._surroundings(context, stream, topics, KafkaUser.of(user).mechanism)
        live: dict[str, Any] = {}
        for manifest in workload(body, stream, around):
            live[manifest["kind"]] = await self._ensure(context, body, manifest)
        driver, executors = await self._pods(context, stream)
        if driver is not None:
            await self._replace_outdated(context, driver, template_hash(live["StatefulSet"]))
        verdict = health.verdict(stream, driver, executors, (body.get("status") or {}).get("progress"))
        facts: Facts = {
            "principal": user["status"]["principal"],
            "outputs": len(stream.outputs),
            "configHash": template_hash(live["StatefulSet"]),
        }
        return Outcome(verdict, facts, _LOOK_AGAIN_SECONDS)

    async def release(self, context: Context, body: Body) -> None:
        """End the driver before its credential goes: its last batch still has to be published.

        All else is owned by the stream and collected by Kubernetes.
        """
        stream = DistributionStream.of(body)
        live = await context.cluster.get("apps/v1", "StatefulSet", stream.namespace, stream.driver_name)
        if live is not None and is_controlled_by(live, body) and not is_deleted(live):
            await context.cluster.delete(live, "apps/v1", "StatefulSet")
        driver, _ = await self._pods(context, stream)
        if driver is not None:
            raise Waiting(Reason.TERMINATING, f"pod {stream.driver_pod} ends its batch.", 1.0)

    def _topic(self, context: Context, output: str, key: Key) -> str:
        topic = context.registry.get(key)
        name = owned_topic_name(topic) if topic is not None and not is_deleted(topic) else None
        if name is not None:
            return name
        what = "does not exist; create it, or correct the output's topicRef"
        if topic is not None:
            what = f"has no topic of its own ({why_not_ready(topic)})"
        raise Waiting(Reason.DEPENDENCY_NOT_READY, f"output {output}: {key} {what}.")

    def _ready_child(self, context: Context, key: Key) -> Body:
        child = context.registry.get(key)
        if child is None or not is_ready(child):
            because = "just made" if child is None else why_not_ready(child)
            raise Waiting(Reason.DEPENDENCY_NOT_READY, f"the stream's own {key} is not Ready ({because}).")
        return child

    def _surroundings(
        self, context: Context, stream: DistributionStream, topics: dict[Key, str], mechanism: str
    ) -> Surroundings:
        image = stream.image or context.settings.job_image
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

    async def _claims(self, context: Context, stream: DistributionStream) -> None:
        for field, name in (("source.parquet", stream.source_claim), ("checkpoint", stream.checkpoint_claim)):
            if await context.cluster.get("v1", "PersistentVolumeClaim", stream.namespace, name) is None:
                raise Waiting(
                    Reason.CLAIM_MISSING,
                    f"PersistentVolumeClaim {stream.namespace}/{name} does not exist ({field}.claimName). Create it, or name another.",
                    _LOOK_AGAIN_SECONDS,
                )

    async def _ensure(self, context: Context, owner: Body, manifest: dict[str, Any]) -> dict[str, Any]:
        metadata = manifest["metadata"]
        live = await context.cluster.get(
            manifest["apiVersion"], manifest["kind"], metadata["namespace"], metadata["name"]
        )
        if live is not None and not is_controlled_by(live, owner):
            raise Stalled(
                Reason.CONFLICT,
                f"{manifest['kind']} {metadata['namespace']}/{metadata['name']} exists and was not made by this stream, so it is left "
                "alone. Remove it, or give the stream another name.",
            )
        if live is not None and is_applied(live, manifest):
            return live
        return await context.cluster.apply(manifest)

    async def _pods(
        self, context: Context, stream: DistributionStream
    ) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        labels = f"{layout.STREAM_LABEL}={stream.name}"
        pods = [pod async for pod in context.cluster.listing("v1", "Pod", stream.namespace, labels)]
        driver = next((pod for pod in pods if pod["metadata"]["name"] == stream.driver_pod), None)
        executors = [pod for pod in pods if pod["metadata"]["labels"].get(layout.ROLE_LABEL) == "executor"]
        return driver, executors

    async def _replace_outdated(self, context: Context, driver: dict[str, Any], wanted: str) -> None:
        metadata = driver["metadata"]
        if (metadata.get("annotations") or {}).get(HASH_ANNOTATION) != wanted and not metadata.get("deletionTimestamp"):
            try:
                await context.cluster.delete(driver, "v1", "Pod")
            except Gone:
                return
            driver["metadata"]["deletionTimestamp"] = context.now()
