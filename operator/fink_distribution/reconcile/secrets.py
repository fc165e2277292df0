"""The Secrets of KafkaUsers: read by name, never listed, never a foreign one overwritten."""

from __future__ import annotations

import secrets
import string
from typing import Any

from fink_distribution.cluster.api import FIELD_MANAGER, AlreadyExists, Gone
from fink_distribution.errors import Reason, Stalled, Waiting
from fink_distribution.reconcile.context import Context
from fink_distribution.resources.credentials import Stored, metadata_differs, secret_manifest, stale_metadata
from fink_distribution.resources.kafka_user import KafkaUser
from fink_distribution.resources.keys import Body, is_controlled_by
from fink_distribution.resources.passwords import brought_password

_PASSWORD_LENGTH = 32
_ALPHABET = string.ascii_letters + string.digits
_RETRY_SECONDS = 10.0


def new_password() -> str:
    """Return 32 letters and digits (190 bits), the first a letter: some JAAS readers stumble over a leading digit."""
    first = secrets.choice(string.ascii_letters)
    return first + "".join(secrets.choice(_ALPHABET) for _ in range(_PASSWORD_LENGTH - 1))


def new_ledger_key() -> str:
    """Return the key of a keyed hash: 256 bits, as 64 hexadecimal digits."""
    return secrets.token_hex(32)


async def own_secret(context: Context, body: Body, user: KafkaUser) -> dict[str, Any] | None:
    """Return the user's Secret, or None when there is none.

    Raises
    ------
    Stalled
        A Secret of this name exists and is somebody else's.
    """
    secret = await context.cluster.get("v1", "Secret", body["metadata"]["namespace"], user.secret)
    if secret is not None and not is_controlled_by(secret, body):
        raise _foreign(body, user)
    return secret


async def write(
    context: Context, body: Body, user: KafkaUser, data: dict[str, str], live: dict[str, Any] | None
) -> bool:
    """Create the Secret, or put its entries, labels and annotations right; say whether anything was to be done.

    Labels and annotations that others have put on it stay.

    Parameters
    ----------
    live
        The Secret as it was read, or None.
    """
    manifest = secret_manifest(body, user, data)
    if live is None:
        try:
            await context.cluster.create(manifest)
        except AlreadyExists:
            raise _foreign(body, user) from None
        return True
    stored = Stored.of(live)
    stale = stale_metadata(stored, manifest, FIELD_MANAGER)
    if not stale and not metadata_differs(stored, manifest) and not stored.differing(data):
        return False
    try:
        changed = (
            await context.cluster.merge({"apiVersion": "v1", "kind": "Secret", **live}, {"metadata": stale})
            if stale
            else live
        )
        # Only the Secret that was read, not one of its name that came after it.
        manifest["metadata"]["uid"] = changed["metadata"]["uid"]
        await context.cluster.apply(manifest)
    except (AlreadyExists, Gone) as error:
        # Somebody else has written it just now: it is looked at again.
        raise Waiting(
            Reason.PROGRESSING, f"Secret {user.secret} has just changed; it is looked at again.", 0.1
        ) from error
    return True


async def let_go(context: Context, body: Body, user: KafkaUser) -> None:
    """Take the owner off the Secret, so that it stays when the KafkaUser goes."""
    live = await context.cluster.get("v1", "Secret", body["metadata"]["namespace"], user.secret)
    if live is not None and is_controlled_by(live, body):
        owners = [each for each in live["metadata"]["ownerReferences"] if each["uid"] != body["metadata"]["uid"]]
        try:
            await context.cluster.merge(
                {"apiVersion": "v1", "kind": "Secret", **live}, {"metadata": {"ownerReferences": owners or None}}
            )
        except (AlreadyExists, Gone) as error:
            raise Waiting(
                Reason.PROGRESSING, f"Secret {user.secret} has just changed; it is looked at again.", 0.1
            ) from error


async def brought(context: Context, body: Body, user: KafkaUser) -> str | None:
    """Return the password that `authentication.passwordSecretRef` names; None when the operator makes the password.

    Raises
    ------
    Waiting
        There is no such Secret yet. Secrets may be read but not watched, so it is looked for again and again.
    Stalled
        The Secret has no such key, or holds no possible password.
    """
    source = user.password_source
    if source is None:
        return None
    where = f"Secret {body['metadata']['namespace']}/{source.name}"
    secret = await context.cluster.get("v1", "Secret", body["metadata"]["namespace"], source.name)
    if secret is None:
        raise Waiting(
            Reason.DEPENDENCY_NOT_READY,
            f"{where} does not exist. Create it with the key {source.key}, or correct authentication.passwordSecretRef.",
            _RETRY_SECONDS,
        )
    data = Stored.of(secret).data
    if source.key not in data:
        has = ", ".join(sorted(data)) or "none"
        raise Stalled(
            Reason.CREDENTIALS_MISSING,
            f"{where} has no key {source.key} (it has: {has}). Add it, or name another in authentication.passwordSecretRef.key; it is looked "
            "at again by itself.",
        )
    return brought_password(data[source.key], f"{where}, key {source.key},")


def _foreign(body: Body, user: KafkaUser) -> Stalled:
    return Stalled(
        Reason.SECRET_CONFLICT,
        f"Secret {body['metadata']['namespace']}/{user.secret} exists and was not made by this resource, so it is not overwritten. Set "
        "secret.name in a new KafkaUser, or remove the Secret.",
    )
