"""KafkaUser: a SCRAM credential and the Secret that holds it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from fink_distribution.resources.kafka_connection import SECURITY_PROTOCOL, connection_name
from fink_distribution.resources.keys import GROUP, Body, owner_reference

MECHANISMS = {"ScramSha512": "SCRAM-SHA-512", "ScramSha256": "SCRAM-SHA-256"}
APPLIED_ANNOTATION = f"{GROUP}/applied-credential"
"""On the Secret: a hash of what was last written to Kafka. Whoever can read it can read the password beside it."""


def user_name(body: Body) -> str:
    """Return the user's name in Kafka."""
    name: str = body["spec"].get("userName") or body["metadata"]["name"]
    return name


def secret_name(body: Body) -> str:
    """Return the name of the Secret that receives the credentials."""
    name: str = (body["spec"].get("secret") or {}).get("name") or body["metadata"]["name"]
    return name


def principal(name: str) -> str:
    """Return Kafka's principal of a user."""
    return f"User:{name}"


@dataclass(frozen=True)
class KafkaUser:
    """The spec of a KafkaUser and what its status records as ours."""

    connection: str
    name: str
    mechanism: str
    iterations: int
    secret: str
    secret_labels: Mapping[str, str]
    secret_annotations: Mapping[str, str]
    deletion_policy: str
    adoption_policy: str
    is_ours: bool

    @classmethod
    def of(cls, body: Body) -> KafkaUser:
        """Read an object that the API server has checked."""
        spec = body["spec"]
        authentication, secret = spec.get("authentication") or {}, spec.get("secret") or {}
        return cls(
            connection=connection_name(body),
            name=user_name(body),
            mechanism=MECHANISMS[authentication.get("type", "ScramSha512")],
            iterations=authentication.get("iterations", 4096),
            secret=secret_name(body),
            secret_labels=dict(secret.get("labels") or {}),
            secret_annotations=dict(secret.get("annotations") or {}),
            deletion_policy=spec.get("deletionPolicy", "Delete"),
            adoption_policy=spec.get("adoptionPolicy", "Refuse"),
            is_ours=(body.get("status") or {}).get("userName") == user_name(body),
        )

    def applied_hash(self, password: str) -> str:
        """Return a hash that changes when the credential in Kafka has to be written again."""
        content = f"{self.mechanism}\0{self.iterations}\0{self.name}\0{password}"
        return hashlib.sha256(content.encode()).hexdigest()


def jaas_config(username: str, password: str) -> str:
    """Return the JAAS line of Kafka's Java clients, quotes and backslashes escaped."""

    def quoted(text: str) -> str:
        escaped = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'

    module = "org.apache.kafka.common.security.scram.ScramLoginModule"
    return f"{module} required username={quoted(username)} password={quoted(password)};"


def secret_data(user: KafkaUser, password: str, bootstrap_servers: str) -> dict[str, str]:
    """Return what a client needs to log in, by Kafka's own names of the settings."""
    return {
        "username": user.name,
        "password": password,
        "sasl.jaas.config": jaas_config(user.name, password),
        "sasl.mechanism": user.mechanism,
        "security.protocol": SECURITY_PROTOCOL,
        "bootstrap.servers": bootstrap_servers,
    }


def secret_manifest(owner: Body, user: KafkaUser, data: Mapping[str, str], applied: str | None) -> dict[str, object]:
    """Return the Secret of a KafkaUser.

    Labels and annotations of the KafkaUser itself are not copied: a GitOps tool would take the Secret for one of its own
    and prune it.
    """
    annotations = dict(user.secret_annotations)
    if applied is not None:
        annotations[APPLIED_ANNOTATION] = applied
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": user.secret,
            "namespace": owner["metadata"]["namespace"],
            "labels": {
                **user.secret_labels,
                "app.kubernetes.io/managed-by": "fink-distribution",
                f"{GROUP}/kafka-user": owner["metadata"]["name"][:63].rstrip("-."),
            },
            "annotations": annotations,
            "ownerReferences": [owner_reference(owner)],
        },
        "stringData": dict(data),
    }
