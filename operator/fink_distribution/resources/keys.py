"""Names of the API group and of single resources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

GROUP = "distribution.fink-broker.org"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
FINALIZER = f"{GROUP}/finalizer"

Body = Mapping[str, Any]
"""A Kubernetes object as the API server gives it."""


class Kind(StrEnum):
    """Our kinds."""

    KAFKA_CONNECTION = "KafkaConnection"
    ALERT_TOPIC = "AlertTopic"
    KAFKA_USER = "KafkaUser"
    KAFKA_ACL = "KafkaAcl"
    DISTRIBUTION_STREAM = "DistributionStream"

    @property
    def plural(self) -> str:
        """The plural, as in the URL."""
        return f"{self.value.lower()}s"


@dataclass(frozen=True, order=True)
class Key:
    """One resource of ours."""

    kind: Kind
    namespace: str
    name: str

    @classmethod
    def of(cls, body: Body) -> Key:
        """Return the key of an object of ours."""
        metadata = body["metadata"]
        return cls(Kind(body["kind"]), metadata["namespace"], metadata["name"])

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


def is_deleted(body: Body) -> bool:
    """Say whether somebody has deleted the object, though finalizers may still hold it."""
    return bool(body["metadata"].get("deletionTimestamp"))


def owner_reference(owner: Body) -> dict[str, Any]:
    """Return the reference that makes an object in the same namespace go with its owner."""
    return {
        "apiVersion": owner.get("apiVersion", API_VERSION),
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def is_controlled_by(body: Body, owner: Body) -> bool:
    """Say whether `owner` made the object."""
    references = body["metadata"].get("ownerReferences") or []
    return any(ref.get("controller") and ref["uid"] == owner["metadata"]["uid"] for ref in references)
