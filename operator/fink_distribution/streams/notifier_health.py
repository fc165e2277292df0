"""How a stream's Slack notifier is, from its Deployment and its pods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from fink_distribution.errors import Reason
from fink_distribution.resources.conditions import Finding, State, Verdict
from fink_distribution.resources.distribution_stream import DistributionStream
from fink_distribution.resources.slack import Slack
from fink_distribution.streams.pods import Advice, Pod, container, reconciling, stalled, trouble

CONDITION = "SlackReady"

_STATUS = {State.READY: "True", State.RECONCILING: "Unknown", State.STALLED: "False"}
_PATIENCE = timedelta(seconds=60)
"""How long the notifier may take to be let in by Kafka and by Slack."""


def finding(verdict: Verdict) -> Finding:
    """Return a verdict about the notifier as a condition beside the stream's own."""
    return Finding(CONDITION, _STATUS[verdict.state], verdict.reason, verdict.message)


def verdict(
    stream: DistributionStream, slack: Slack, deployment: Mapping[str, Any], pods: Sequence[Pod], now: datetime
) -> Verdict:
    """Say how the notifier is; `pods` are all of its Deployment."""
    if stream.suspend:
        text = "suspended with the stream: no pod runs, and Kafka keeps how far the alerts are announced."
        return Verdict(State.READY, Reason.SUSPENDED, text)
    if not pods:
        return _without_pod(stream, deployment)
    pod = max(pods, key=lambda each: str(each["metadata"].get("creationTimestamp", "")))
    found = trouble(pod, Advice(_image_field(stream, slack), "spec.slack.resources.memory", slack.memory, "ends"))
    if found is None:
        text = f"pod {pod['metadata']['name']} announces the alerts of {len(stream.announced)} outputs."
        return Verdict(State.READY, Reason.RUNNING, text)
    return _kept_out(slack, pod, now) or found


def _without_pod(stream: DistributionStream, deployment: Mapping[str, Any]) -> Verdict:
    where = f"kubectl describe deployment {stream.notifier_name} -n {stream.namespace}"
    for each in (deployment.get("status") or {}).get("conditions") or []:
        if each["type"] == "ReplicaFailure" and each["status"] == "True":
            return stalled(
                Reason.POD_FAILED, f"Kubernetes refuses the notifier's pod: {each.get('message', '')} See: {where}"
            )
    return reconciling(
        Reason.PODS_STARTING, f"Deployment {stream.notifier_name} has no pod yet. If this lasts, see: {where}"
    )


def _kept_out(slack: Slack, pod: Pod, now: datetime) -> Verdict | None:
    """Say that the notifier runs, but is not ready, if that has lasted."""
    found = container(pod)
    running = (found.get("state") or {}).get("running") or {}
    began = running.get("startedAt")
    leaving = pod["metadata"].get("deletionTimestamp")
    if found.get("ready") or leaving or began is None or now - datetime.fromisoformat(began) < _PATIENCE:
        return None
    name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
    return stalled(
        Reason.NOTIFIER_NOT_READY,
        f"pod {name} runs, but Kafka does not let it read its topics, or Slack refuses the token of Secret {namespace}/{slack.token_secret}. "
        f"It says which: kubectl logs -n {namespace} {name}",
    )


def _image_field(stream: DistributionStream, slack: Slack) -> str:
    return "spec.image" if slack.image is None and stream.image is not None else "spec.slack.image"
