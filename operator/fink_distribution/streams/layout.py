"""Where things lie in the stream's pods, and what the pods have in common."""

from __future__ import annotations

from typing import Any

from fink_distribution.resources.distribution_stream import DistributionStream
from fink_distribution.resources.kafka_connection import CA_KEY
from fink_distribution.resources.keys import GROUP

JOB_DIRECTORY = "/etc/fink/job"
KAFKA_DIRECTORY = "/etc/fink/kafka"
REGISTRY_DIRECTORY = "/etc/fink/registry"
DATABASE_DIRECTORY = "/etc/fink/database"
NOTIFIER_DIRECTORY = "/etc/fink/notifier"
SLACK_DIRECTORY = "/etc/fink/slack"
CHECKPOINT_DIRECTORY = "/checkpoint"
READY_FILE = "/tmp/ready"  # noqa: S108 - an emptyDir of the pod's own
CONFIG_FILE = "job.json"
NOTIFIER_FILE = "slack.json"
TOKEN_FILE = "token"  # noqa: S105 - a file's name, not a token
METRICS_PORT = 9090
EXECUTOR_TEMPLATE = "executor-pod.yaml"
EXECUTOR_CONTAINER = "executor"
USER_ID = 185
"""The user of Spark's own images."""

STREAM_LABEL = f"{GROUP}/stream"
ROLE_LABEL = f"{GROUP}/role"
MANAGED_BY = {"app.kubernetes.io/managed-by": "fink-distribution"}

SECRET_KEYS = ("username", "password", "sasl.jaas.config")


def labels(stream: DistributionStream, role: str) -> dict[str, str]:
    """Return the labels of an object of the stream."""
    return {**MANAGED_BY, STREAM_LABEL: stream.name, ROLE_LABEL: role}


def pod_security() -> dict[str, Any]:
    """Return a pod security context under the restricted Pod Security Standard."""
    return {
        "runAsNonRoot": True,
        "runAsUser": USER_ID,
        "runAsGroup": USER_ID,
        "fsGroup": USER_ID,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security() -> dict[str, Any]:
    """Return a container security context under the restricted Pod Security Standard."""
    return {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def shared_volumes(stream: DistributionStream, *, has_ca: bool) -> list[dict[str, Any]]:
    """Return what the driver and the executors both mount: the alerts, the credentials, scratch space.

    Parameters
    ----------
    has_ca
        Whether the credentials have the certificate of the brokers' authority with them.
    """
    claim = stream.source.claim
    science = [{"name": "science", "persistentVolumeClaim": {"claimName": claim, "readOnly": True}}] if claim else []
    return [*science, *login_volumes(stream.child_name, has_ca=has_ca)]


def login_volumes(user: str, *, has_ca: bool) -> list[dict[str, Any]]:
    """Return the credentials that a KafkaUser's Secret holds, and scratch space."""
    keys = (*SECRET_KEYS, CA_KEY) if has_ca else SECRET_KEYS
    items = [{"key": key, "path": key} for key in keys]
    return [
        {"name": "kafka", "secret": {"secretName": user, "defaultMode": 0o440, "items": items}},
        {"name": "tmp", "emptyDir": {}},
    ]


def shared_mounts(stream: DistributionStream) -> list[dict[str, Any]]:
    """Return the mounts of `shared_volumes`."""
    source = stream.source
    science = [{"name": "science", "mountPath": source.mount, "readOnly": True}] if source.claim else []
    return [
        *science,
        *login_mounts(),
    ]


def login_mounts() -> list[dict[str, Any]]:
    """Return the mounts of `login_volumes`."""
    return [
        {"name": "kafka", "mountPath": KAFKA_DIRECTORY, "readOnly": True},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - an emptyDir of the pod's own
    ]


def staging_volumes(stream: DistributionStream) -> list[dict[str, Any]]:
    """Return what the executors need of the checkpoint: the folder of alerts that are staged, which they write and read."""
    return [checkpoint_volume(stream)] if stream.source.is_staged else []


def staging_mounts(stream: DistributionStream) -> list[dict[str, Any]]:
    """Return the mounts of `staging_volumes`; the driver makes the folder before it asks for executors."""
    folder = f"{stream.checkpoint_path.strip('/')}/staging"
    mount = {"name": "checkpoint", "mountPath": f"{CHECKPOINT_DIRECTORY}/{folder}", "subPath": folder}
    return [mount] if stream.source.is_staged else []


def checkpoint_volume(stream: DistributionStream) -> dict[str, Any]:
    """Return the volume of the checkpoint."""
    return {"name": "checkpoint", "persistentVolumeClaim": {"claimName": stream.checkpoint_claim}}


def service_volumes(stream: DistributionStream) -> list[dict[str, Any]]:
    """Return what the driver alone needs to reach the registry and the database.

    It need not exist yet: outputs that need no registry go on without, and what the database lacks is said.
    """
    registry, source = stream.registry, stream.source
    wanted = {"database": (source.credentials, source.ca)}
    if registry is not None:
        wanted["registry"] = (registry.credentials, registry.ca)
    return [
        {"name": name, "projected": {"defaultMode": 0o440, "sources": sources}}
        for name, (credentials, ca) in sorted(wanted.items())
        if (sources := _service_sources(credentials, ca))
    ]


def _service_sources(credentials: str | None, ca: tuple[str, str, str] | None) -> list[dict[str, Any]]:
    sources = []
    if credentials is not None:
        items = [{"key": key, "path": key} for key in ("username", "password")]
        sources.append({"secret": {"name": credentials, "items": items, "optional": True}})
    if ca is not None:
        kind, name, key = ca
        field = {"Secret": "secret", "ConfigMap": "configMap"}[kind]
        sources.append({field: {"name": name, "items": [{"key": key, "path": CA_KEY}], "optional": True}})
    return sources


def service_mounts(stream: DistributionStream) -> list[dict[str, Any]]:
    """Return the mounts of `service_volumes`."""
    places = {"database": DATABASE_DIRECTORY, "registry": REGISTRY_DIRECTORY}
    return [
        {"name": volume["name"], "mountPath": places[volume["name"]], "readOnly": True}
        for volume in service_volumes(stream)
    ]
