"""The Kubernetes objects of a stream's Slack notifier, each owned by the stream."""

from __future__ import annotations

import json

from fink_distribution.resources.distribution_stream import DistributionStream
from fink_distribution.resources.keys import API_VERSION, Body
from fink_distribution.resources.slack import Slack
from fink_distribution.streams import layout
from fink_distribution.streams.job_config import Surroundings
from fink_distribution.streams.manifest import CONFIG_HASH_ANNOTATION, Manifest, digest, owned
from fink_distribution.streams.notifier_config import notifier_config

ROLE = "slack"
KINDS = (("apps/v1", "Deployment"), ("v1", "ConfigMap"), (API_VERSION, "KafkaAcl"), (API_VERSION, "KafkaUser"))
"""The kinds of the objects, all of one name, in the order in which they are removed."""


def notifier_children(owner: Body, stream: DistributionStream) -> list[Manifest]:
    """Return the notifier's own KafkaUser and KafkaAcl: it may read the topics that it announces, with a group of its own."""
    name = stream.notifier_name
    topics = sorted({output.topic.name for output in stream.announced})
    return [
        owned(
            owner,
            API_VERSION,
            "KafkaUser",
            name,
            layout.labels(stream, ROLE),
            spec={"connectionRef": {"name": stream.connection}, "userName": stream.notifier_user},
        ),
        owned(
            owner,
            API_VERSION,
            "KafkaAcl",
            name,
            layout.labels(stream, ROLE),
            spec={
                "userRef": {"name": name},
                "consumer": {
                    "topics": [{"topicRef": {"name": topic}} for topic in topics],
                    # Exactly this one: by it Kafka knows how far the alerts are settled, and nobody else's can be joined.
                    "group": {"name": stream.notifier_user},
                },
            },
        ),
    ]


def notifier_workload(
    owner: Body, stream: DistributionStream, slack: Slack, around: Surroundings, slack_url: str
) -> list[Manifest]:
    """Return what runs the notifier, in the order in which it is applied."""
    document = notifier_config(stream, slack, around, slack_url)
    data = {layout.NOTIFIER_FILE: json.dumps(document, indent=2, sort_keys=True)}
    labels = layout.labels(stream, ROLE)
    config = owned(owner, "v1", "ConfigMap", stream.notifier_name, labels, data=data)
    template = {
        "metadata": {"labels": labels, "annotations": {CONFIG_HASH_ANNOTATION: digest(data)}},
        "spec": _pod(stream, slack, around),
    }
    spec = {
        "replicas": 0 if stream.suspend else 1,
        # Of two, the one that starts last takes over and the other ends with an error.
        "strategy": {"type": "Recreate"},
        "revisionHistoryLimit": 1,
        "selector": {"matchLabels": labels},
        "template": template,
    }
    return [config, owned(owner, "apps/v1", "Deployment", stream.notifier_name, labels, spec=spec)]


def _pod(stream: DistributionStream, slack: Slack, around: Surroundings) -> Manifest:
    config = f"{layout.NOTIFIER_DIRECTORY}/{layout.NOTIFIER_FILE}"
    token = [{"key": slack.token_key, "path": layout.TOKEN_FILE}]
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": layout.pod_security(),
        "containers": [
            {
                "name": "notifier",
                "image": around.image,
                "imagePullPolicy": around.image_pull_policy,
                "args": ["python", "-m", "slack_notifier", "--config", config],
                "ports": [{"name": "metrics", "containerPort": layout.METRICS_PORT}],
                "resources": {
                    "requests": {"cpu": slack.cpu, "memory": slack.memory},
                    "limits": {"memory": slack.memory},
                },
                "readinessProbe": {
                    "httpGet": {"path": "/readyz", "port": "metrics"},
                    "periodSeconds": 5,
                    "timeoutSeconds": 5,
                },
                "livenessProbe": {
                    "httpGet": {"path": "/healthz", "port": "metrics"},
                    "initialDelaySeconds": 30,
                    "periodSeconds": 30,
                    "timeoutSeconds": 5,
                },
                "terminationMessagePolicy": "FallbackToLogsOnError",
                "securityContext": layout.container_security(),
                "volumeMounts": [
                    {"name": "config", "mountPath": layout.NOTIFIER_DIRECTORY, "readOnly": True},
                    {"name": "slack", "mountPath": layout.SLACK_DIRECTORY, "readOnly": True},
                    *layout.login_mounts(),
                ],
            }
        ],
        "volumes": [
            {"name": "config", "configMap": {"name": stream.notifier_name}},
            {"name": "slack", "secret": {"secretName": slack.token_secret, "defaultMode": 0o440, "items": token}},
            *layout.login_volumes(stream.notifier_name, has_ca=around.connection.has_ca),
        ],
    }
