"""The Slack notifier of a DistributionStream: whatever becomes of it is said beside the stream's own state, and never changes that."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from fink_distribution.errors import Reason, ReconcileError, Stalled
from fink_distribution.reconcile.context import Context, Event, Outcome
from fink_distribution.reconcile.stream_objects import ensure, ready_child, surroundings, topic_names
from fink_distribution.resources.conditions import Finding, Verdict, condition
from fink_distribution.resources.distribution_stream import DistributionStream
from fink_distribution.resources.kafka_user import KafkaUser
from fink_distribution.resources.keys import Body, Key, Kind, is_controlled_by, is_deleted
from fink_distribution.resources.slack import Slack
from fink_distribution.streams import layout, notifier_health
from fink_distribution.streams.notifier_health import CONDITION
from fink_distribution.streams.notifier_objects import KINDS, ROLE, notifier_children, notifier_workload

logger = logging.getLogger(__name__)

_LOOK_AGAIN_SECONDS = 10.0


class SlackNotifiers:
    """What the reconciler of DistributionStream does about Slack."""

    async def beside(self, context: Context, body: Body, stream: DistributionStream, outcome: Outcome) -> Outcome:
        """Bring the notifier to its declared state; return the stream's outcome with the condition SlackReady."""
        found = await self._attempt(context, body, stream)
        if found is None:
            return replace(outcome, withdrawn=(CONDITION,))
        news = notifier_health.finding(found)
        again = min(outcome.again_seconds or _LOOK_AGAIN_SECONDS, _LOOK_AGAIN_SECONDS)
        return replace(outcome, again_seconds=again, findings=(news,), events=_events(body, news))

    async def _attempt(self, context: Context, body: Body, stream: DistributionStream) -> Verdict | None:
        """Return how the notifier is; None when there is none."""
        try:
            if stream.slack is not None:
                return await self._run(context, body, stream, stream.slack)
            await self._remove(context, body, stream)
        except ReconcileError as error:
            if error.reason is Reason.LEASE_NOT_HELD:
                raise
            return Verdict.of_error(error)
        except Exception:
            logger.exception("%s: unexpected error about its Slack notifier", Key.of(body))
            return Verdict.of_unexpected_error()
        return None

    async def _run(self, context: Context, body: Body, stream: DistributionStream, slack: Slack) -> Verdict:
        topics = topic_names(context, stream.announced)
        for manifest in notifier_children(body, stream):
            await ensure(context, body, manifest)
        user = ready_child(context, Key(Kind.KAFKA_USER, stream.namespace, stream.notifier_name))
        ready_child(context, Key(Kind.KAFKA_ACL, stream.namespace, stream.notifier_name))
        if not stream.suspend:
            await self._token(context, stream.namespace, slack)
        around = surroundings(context, stream, slack.image or stream.image, topics, KafkaUser.of(user).mechanism)
        live: dict[str, Any] = {}
        for manifest in notifier_workload(body, stream, slack, around, context.settings.slack_api_url):
            live[manifest["kind"]] = await ensure(context, body, manifest)
        labels = f"{layout.STREAM_LABEL}={stream.name},{layout.ROLE_LABEL}={ROLE}"
        pods = [pod async for pod in context.cluster.listing("v1", "Pod", stream.namespace, labels)]
        return notifier_health.verdict(stream, slack, live["Deployment"], pods, context.clock())

    async def _token(self, context: Context, namespace: str, slack: Slack) -> None:
        """See that there is a token; what it is stays where it is."""
        secret = await context.cluster.get("v1", "Secret", namespace, slack.token_secret)
        if secret is not None and (secret.get("data") or {}).get(slack.token_key):
            return
        what = "does not exist" if secret is None else f"has nothing under the key {slack.token_key}"
        raise Stalled(
            Reason.CREDENTIALS_MISSING,
            f"Secret {namespace}/{slack.token_secret} {what} (spec.slack.tokenSecretRef). Put the token of the Slack app there: kubectl "
            f"create secret generic {slack.token_secret} -n {namespace} --from-file={slack.token_key}",
        )

    async def _remove(self, context: Context, body: Body, stream: DistributionStream) -> None:
        """Delete what a notifier has left, its KafkaUser last: as long as that is there, there may be something to delete."""
        user = context.registry.get(Key(Kind.KAFKA_USER, stream.namespace, stream.notifier_name))
        if condition(body, CONDITION) is None and (user is None or not is_controlled_by(user, body)):
            return
        for api_version, kind in KINDS:
            live = await context.cluster.get(api_version, kind, stream.namespace, stream.notifier_name)
            if live is not None and is_controlled_by(live, body) and not is_deleted(live):
                await context.cluster.delete(live, api_version, kind)


def _events(body: Body, news: Finding) -> tuple[Event, ...]:
    """Return what to tell when the notifier's state has changed; that it is about to start is no news."""
    before = condition(body, CONDITION)
    if news.status == "Unknown" if before is None else before["reason"] == news.reason:
        return ()
    kind = "Warning" if news.status == "False" else "Normal"
    return (Event(kind, news.reason, f"Slack notifier: {news.message}"),)
