"""DistributionStream: its own Kafka user and permissions, and the pods that run it."""

from __future__ import annotations

from typing import Any

from fink_distribution.cluster.api import Gone
from fink_distribution.errors import Reason, ReconcileError, Waiting
from fink_distribution.reconcile.context import Context, Facts, Outcome, facts_of
from fink_distribution.reconcile.slack_notifiers import SlackNotifiers
from fink_distribution.reconcile.stream_objects import ensure, ready_child, surroundings, topic_name, topic_names
from fink_distribution.resources.distribution_stream import DistributionStream
from fink_distribution.resources.kafka_user import KafkaUser
from fink_distribution.resources.keys import Body, Key, Kind, is_controlled_by, is_deleted
from fink_distribution.streams import health, layout
from fink_distribution.streams.objects import HASH_ANNOTATION, children, template_hash, workload

_LOOK_AGAIN_SECONDS = 10.0


class DistributionStreams:
    """The reconciler of DistributionStream."""

    def __init__(self) -> None:
        self._notifiers = SlackNotifiers()

    async def reconcile(self, context: Context, body: Body) -> Outcome:
        """Bring the stream to its declared state, and the Slack notifier beside it, neither of which waits for the other."""
        stream = DistributionStream.of(body)
        try:
            outcome = await self._run(context, body, stream)
        except ReconcileError as error:
            outcome = Outcome.of_error(error, facts_of(body))
        return await self._notifiers.beside(context, body, stream, outcome)

    async def _run(self, context: Context, body: Body, stream: DistributionStream) -> Outcome:
        """Make the stream's children, wait for them, and run the driver with the declared configuration."""
        topics = topic_names(context, stream.outputs)
        if stream.source.topic is not None:
            topics[stream.source.topic] = topic_name(context, "source", stream.source.topic)
        for manifest in children(body, stream):
            await ensure(context, body, manifest)
        user = ready_child(context, Key(Kind.KAFKA_USER, stream.namespace, stream.child_name))
        ready_child(context, Key(Kind.KAFKA_ACL, stream.namespace, stream.child_name))
        await self._claims(context, stream)
        around = surroundings(context, stream, stream.image, topics, KafkaUser.of(user).mechanism)
        live: dict[str, Any] = {}
        for manifest in workload(body, stream, around):
            live[manifest["kind"]] = await ensure(context, body, manifest)
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

    async def _claims(self, context: Context, stream: DistributionStream) -> None:
        source = stream.source
        for field, name in ((f"source.{source.type}", source.claim), ("checkpoint", stream.checkpoint_claim)):
            if (
                name is not None
                and await context.cluster.get("v1", "PersistentVolumeClaim", stream.namespace, name) is None
            ):
                raise Waiting(
                    Reason.CLAIM_MISSING,
                    f"PersistentVolumeClaim {stream.namespace}/{name} does not exist ({field}.claimName). Create it, or name another.",
                    _LOOK_AGAIN_SECONDS,
                )

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
