"""KafkaUser: a SCRAM credential, its quotas, and what its status records as ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from fink_distribution.resources.kafka_connection import connection_name
from fink_distribution.resources.keys import Body
from fink_distribution.resources.rotation import RotationSpec, RotationState

MECHANISMS = {"ScramSha512": "SCRAM-SHA-512", "ScramSha256": "SCRAM-SHA-256"}


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
class PasswordSource:
    """The entry of a Secret, in the user's namespace, that a brought password is in."""

    name: str
    key: str


@dataclass(frozen=True)
class Credential:
    """What was last written to Kafka: a keyed hash of the password, and how Kafka keeps it. Kafka itself never shows a password."""

    hash: str
    mechanism: str
    iterations: int

    def facts(self) -> dict[str, object]:
        """Return it as it stands in the status."""
        return {"hash": self.hash, "mechanism": self.mechanism, "iterations": self.iterations}


@dataclass(frozen=True)
class KafkaUser:
    """The spec of a KafkaUser and what its status records as ours.

    Attributes
    ----------
    declared_mechanism
        The mechanism that the spec names, Kafka's word.
    quotas
        By the names of `spec.quotas`.
    owned_quotas
        The quotas that this resource has set.
    written
        What was last written to Kafka.
    """

    connection: str
    name: str
    declared_mechanism: str
    iterations: int
    password_source: PasswordSource | None
    secret: str
    secret_labels: Mapping[str, str]
    secret_annotations: Mapping[str, str]
    quotas: Mapping[str, int]
    owned_quotas: Mapping[str, int]
    rotation: RotationSpec
    rotation_state: RotationState
    written: Credential | None
    deletion_policy: str
    adoption_policy: str
    is_ours: bool
    created: datetime | None = field(default=None, compare=False)

    @classmethod
    def of(cls, body: Body) -> KafkaUser:
        """Read an object that the API server has checked."""
        spec, status, metadata = body["spec"], body.get("status") or {}, body["metadata"]
        authentication, secret = spec.get("authentication") or {}, spec.get("secret") or {}
        source, written = authentication.get("passwordSecretRef"), status.get("credential")
        created = metadata.get("creationTimestamp")
        return cls(
            connection=connection_name(body),
            name=user_name(body),
            declared_mechanism=MECHANISMS[authentication.get("type", "ScramSha512")],
            iterations=authentication.get("iterations", 4096),
            password_source=PasswordSource(source["name"], source.get("key", "password")) if source else None,
            secret=secret_name(body),
            secret_labels=dict(secret.get("labels") or {}),
            secret_annotations=dict(secret.get("annotations") or {}),
            quotas=dict(spec.get("quotas") or {}),
            owned_quotas=dict(status.get("quotas") or {}),
            rotation=RotationSpec.of(spec.get("rotation") or {}),
            rotation_state=RotationState.of(status.get("rotation") or {}),
            written=Credential(**written) if written else None,
            deletion_policy=spec.get("deletionPolicy", "Delete"),
            adoption_policy=spec.get("adoptionPolicy", "Refuse"),
            is_ours=status.get("userName") == user_name(body),
            created=datetime.fromisoformat(created) if created else None,
        )

    @property
    def mechanism(self) -> str:
        """The mechanism of the password that the Secret holds: the spec's, unless the password was rotated."""
        state = self.rotation_state
        if state.mechanism is None or state.declared != self.declared_mechanism:
            return self.declared_mechanism
        return state.previous if state.is_preparing and state.previous else state.mechanism

    @property
    def kept_mechanism(self) -> str | None:
        """The other mechanism while a rotation lasts: its credential is left as it is."""
        state = self.rotation_state
        if state.previous is None or state.declared != self.declared_mechanism:
            return None
        return state.mechanism if state.is_preparing else state.previous

    def with_rotation(self, state: RotationState) -> KafkaUser:
        """Return the user with its rotation so far."""
        return replace(self, rotation_state=state)
