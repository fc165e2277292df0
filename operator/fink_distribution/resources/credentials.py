"""The Secret of a KafkaUser: the same login in the forms that clients read."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fink_distribution.resources.kafka_connection import CA_KEY, ClientAccess
from fink_distribution.resources.kafka_user import KafkaUser
from fink_distribution.resources.keys import GROUP, Body, owner_reference

LEDGER_KEY = "ledger.key"
"""The entry with the key of the hash in the KafkaUser's status. It lives beside the password, since who can read the one can read the
other; the hash alone, which `kubectl get` shows to many more, gives no way to try passwords."""

_PARTS = ("labels", "annotations")
_JAVA_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\f": "\\f"}


@dataclass(frozen=True)
class Stored:
    """What the Secret holds now: its entries, by key, as they are."""

    data: Mapping[str, bytes] = field(repr=False)
    metadata: Mapping[str, Any] = field(repr=False)

    @classmethod
    def of(cls, secret: Mapping[str, Any]) -> Stored:
        """Read a Secret."""
        data = {key: _decoded(value) for key, value in (secret.get("data") or {}).items()}
        return cls(data, secret["metadata"])

    @property
    def ledger_key(self) -> str | None:
        """The key of the hash in the status; None when it is missing or cannot be one of ours."""
        found = self.text(LEDGER_KEY)
        return found if found is not None and len(found) == 64 else None

    def text(self, key: str) -> str | None:
        """Return an entry, or None when it is missing or no text."""
        try:
            return self.data[key].decode()
        except (KeyError, UnicodeDecodeError):
            return None

    def differing(self, data: Mapping[str, str]) -> list[str]:
        """Return the keys whose entries are not as wanted."""
        return sorted(key for key, value in data.items() if self.data.get(key) != value.encode())


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""


def keyed_hash(ledger_key: str, user: str, password: str) -> str:
    """Return the hash by which a changed password is known (HMAC-SHA-256, 64 hexadecimal digits)."""
    return hmac.new(ledger_key.encode(), f"{user}\0{password}".encode(), hashlib.sha256).hexdigest()


def jaas_config(username: str, password: str) -> str:
    """Return the JAAS line of Kafka's Java clients, quotes and backslashes escaped."""
    module = "org.apache.kafka.common.security.scram.ScramLoginModule"
    return f"{module} required username={java_quoted(username)} password={java_quoted(password)};"


def java_quoted(text: str) -> str:
    """Return a value as it stands in a JAAS line, and in a file of Java's arguments (JEP 293)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def java_properties(settings: Mapping[str, str]) -> str:
    """Return settings as java.util.Properties reads them: ISO 8859-1, all else as UTF-16 code units."""
    return "".join(f"{name}={_java_value(value)}\n" for name, value in settings.items())


def _java_value(text: str) -> str:
    escaped = "".join(_java_character(character) for character in text)
    # Spaces after the "=" are skipped.
    return f"\\{escaped}" if escaped.startswith(" ") else escaped


def _java_character(character: str) -> str:
    if character in _JAVA_ESCAPES:
        return _JAVA_ESCAPES[character]
    if " " <= character <= "~":
        return character
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def secret_data(user: KafkaUser, password: str, ledger_key: str, access: ClientAccess) -> dict[str, str]:
    """Return what a client needs to log in: by Kafka's own names, as the files of Java's and librdkafka's tools, and by those of the
    Service Binding specification (https://servicebinding.io/spec/core/1.1.0/)."""
    host, _, port = access.bootstrap_servers.split(",", maxsplit=1)[0].rpartition(":")
    around = {
        "bootstrap.servers": access.bootstrap_servers,
        "security.protocol": access.security_protocol,
        "sasl.mechanism": user.mechanism,
    }
    jaas = jaas_config(user.name, password)
    trust, raw_trust = _trust(access)
    raw = {**around, "sasl.username": user.name, "sasl.password": password, **raw_trust}
    return {
        **around,
        **trust,
        **({CA_KEY: access.ca} if access.ca is not None else {}),
        "username": user.name,
        "password": password,
        "sasl.jaas.config": jaas,
        "client.properties": java_properties({**around, "sasl.jaas.config": jaas, **trust}),
        "librdkafka.properties": "".join(f"{name}={value}\n" for name, value in raw.items()),
        "type": "kafka",
        "host": host,
        "port": port,
        LEDGER_KEY: ledger_key,
    }


def _trust(access: ClientAccess) -> tuple[dict[str, str], dict[str, str]]:
    """Return how the brokers' certificates are checked, for Java (PEM in the settings, KIP-651) and for librdkafka.

    A file of librdkafka's settings has no lines that go on, so it names the entry of the Secret that stands beside it.
    """
    java, raw = {}, {}
    if access.ca is not None:
        java = {"ssl.truststore.type": "PEM", "ssl.truststore.certificates": access.ca}
        raw = {"ssl.ca.location": CA_KEY}
    if not access.verify_hostname:
        java["ssl.endpoint.identification.algorithm"] = ""
        raw["ssl.endpoint.identification.algorithm"] = "none"
    return java, raw


def secret_manifest(owner: Body, user: KafkaUser, data: Mapping[str, str]) -> dict[str, Any]:
    """Return the Secret of a KafkaUser.

    Labels and annotations of the KafkaUser itself are not copied: a GitOps tool would take the Secret for one of its own
    and prune it.
    """
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
            "annotations": dict(user.secret_annotations),
            "ownerReferences": [owner_reference(owner)],
        },
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
    }


def metadata_differs(stored: Stored, manifest: Mapping[str, Any]) -> bool:
    """Say whether the Secret lacks a label or an annotation that it should carry."""
    return any(
        (stored.metadata.get(part) or {}).get(name) != value
        for part in _PARTS
        for name, value in manifest["metadata"][part].items()
    )


def stale_metadata(stored: Stored, manifest: Mapping[str, Any], manager: str) -> dict[str, dict[str, None]]:
    """Return the labels and annotations that we once put on the Secret and that it should carry no more, to be merged away.

    Parameters
    ----------
    manager
        Our field manager: what others have put there is theirs, and stays.
    """
    stale: dict[str, dict[str, None]] = {}
    for part in _PARTS:
        live, wanted = stored.metadata.get(part) or {}, manifest["metadata"][part]
        names = _managed(stored.metadata, part, manager) & set(live) - set(wanted)
        if names:
            stale[part] = dict.fromkeys(sorted(names))
    return stale


def _managed(metadata: Mapping[str, Any], part: str, manager: str) -> set[str]:
    names: set[str] = set()
    for entry in metadata.get("managedFields") or []:
        if entry.get("manager") == manager:
            fields = ((entry.get("fieldsV1") or {}).get("f:metadata") or {}).get(f"f:{part}") or {}
            names |= {name.removeprefix("f:") for name in fields if name.startswith("f:")}
    return names
