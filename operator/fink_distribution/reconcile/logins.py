"""The operator's login to a Kafka cluster, gathered from the Secrets that a KafkaConnection names."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from fink_distribution.cluster.api import Cluster
from fink_distribution.errors import Reason, Stalled
from fink_distribution.kafka.login import Login, Tls
from fink_distribution.resources.kafka_connection import KafkaConnection, TlsSettings


async def read_login(cluster: Cluster, namespace: str, connection: KafkaConnection) -> Login:
    """Read what the Secrets hold now.

    Raises
    ------
    Stalled
        A Secret, a ConfigMap or one of their keys is missing.
    """
    tls = await _read_tls(cluster, namespace, connection.tls) if connection.tls else None
    credentials = connection.credentials
    if credentials is None:
        return Login(connection.bootstrap_servers, None, None, None, tls)
    keys = (credentials.username_key, credentials.password_key)
    username, password = await _read(cluster, namespace, "Secret", credentials.secret_name, *keys)
    # An editor's trailing newline is never part of a password that a person typed.
    words = username.rstrip("\r\n"), password.rstrip("\r\n")
    return Login(connection.bootstrap_servers, credentials.mechanism, *words, tls)


async def _read_tls(cluster: Cluster, namespace: str, tls: TlsSettings) -> Tls:
    ca = certificate = key = None
    if tls.ca is not None:
        kind, name, entry = tls.ca
        (ca,) = await _read(cluster, namespace, kind, name, entry)
    if tls.client_secret is not None:
        certificate, key = await _read(cluster, namespace, "Secret", tls.client_secret, "tls.crt", "tls.key")
    return Tls(ca, certificate, key, tls.verify_hostname)


async def _read(cluster: Cluster, namespace: str, kind: str, name: str, *keys: str) -> list[str]:
    found = await cluster.get("v1", kind, namespace, name)
    if found is None:
        wanted = " and ".join(dict.fromkeys(keys))
        raise Stalled(
            Reason.CREDENTIALS_MISSING,
            f"{kind} {namespace}/{name} does not exist. Create it with the key{'s' if len(keys) > 1 else ''} {wanted}.",
        )
    return [_entry(found, kind, key) for key in keys]


def _entry(found: dict[str, Any], kind: str, key: str) -> str:
    data = found.get("data") or {}
    name = f"{kind} {found['metadata']['namespace']}/{found['metadata']['name']}"
    if not data.get(key):
        has = ", ".join(sorted(data)) or "none"
        raise Stalled(
            Reason.CREDENTIALS_MISSING, f"{name} has no key {key} (it has: {has}). Add it, or name another key."
        )
    if kind == "ConfigMap":
        return str(data[key])
    try:
        return base64.b64decode(data[key]).decode()
    except (binascii.Error, UnicodeDecodeError):
        # From None: the error's own text would quote the bytes.
        raise Stalled(Reason.CREDENTIALS_MISSING, f"{name}: the value of {key} is no UTF-8 text. Correct it.") from None
