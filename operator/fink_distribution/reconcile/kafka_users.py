"""KafkaUser: a SCRAM credential in Kafka, and its Secret."""

from __future__ import annotations

import base64
import secrets
import string
from typing import Any

from fink_distribution.cluster.api import AlreadyExists
from fink_distribution.errors import Reason, Stalled
from fink_distribution.kafka import users
from fink_distribution.plans.users import DeleteCredential, UpsertCredential, plan_user, refuse_foreign
from fink_distribution.reconcile.context import Context, Facts, Outcome
from fink_distribution.reconcile.rivals import refuse_rival
from fink_distribution.resources.conditions import State, Verdict
from fink_distribution.resources.kafka_user import (
    APPLIED_ANNOTATION,
    KafkaUser,
    principal,
    secret_data,
    secret_manifest,
)
from fink_distribution.resources.keys import Body, is_controlled_by

_PASSWORD_LENGTH = 32
_ALPHABET = string.ascii_letters + string.digits


def new_password() -> str:
    """Return 32 letters and digits (190 bits), the first a letter: some JAAS readers stumble over a leading digit."""
    first = secrets.choice(string.ascii_letters)
    return first + "".join(secrets.choice(_ALPHABET) for _ in range(_PASSWORD_LENGTH - 1))


class KafkaUsers:
    """The reconciler of KafkaUser."""

    async def reconcile(self, context: Context, body: Body) -> Outcome:
        """Keep Secret and credential in step: the Secret first, so that no password is lost in a crash."""
        user = KafkaUser.of(body)
        admin = await context.connections.admin(user.connection)
        refuse_rival(context.registry, body)
        if user.name == admin.login.username:
            raise Stalled(
                Reason.CONFLICT,
                f"user {user.name} is the one that the operator itself logs in as; its password is never changed here. Choose another "
                "userName.",
            )
        observed = await users.observe_one(admin, user.name)
        refuse_foreign(user, observed)
        secret = await self._own_secret(context, body, user)
        if not user.is_ours:
            body = await context.claim(body, {"userName": user.name})
        password = _entry(secret, "password") or new_password()
        data = secret_data(user, password, context.connections.access(user.connection))
        applied = user.applied_hash(password)
        is_applied = _annotation(secret) == applied
        if not _holds(secret, data):
            # A password that Kafka has never seen may be marked as applied only once Kafka has it.
            secret = await self._write_secret(
                context, body, user, data, applied if is_applied else None, exists=secret is not None
            )
        for change in plan_user(user, observed, is_applied):
            context.changing(body, change)
            match change:
                case UpsertCredential():
                    await users.upsert(admin, change, password)
                    await self._write_secret(context, body, user, data, applied, exists=True)
                case DeleteCredential():
                    await users.delete(admin, change)
        text = f"user {user.name} logs in with {user.mechanism}; its credentials are in Secret {user.secret}."
        return Outcome(Verdict(State.READY, Reason.RECONCILED, text), self._facts(context, user))

    async def _own_secret(self, context: Context, body: Body, user: KafkaUser) -> dict[str, Any] | None:
        secret = await context.cluster.get("v1", "Secret", body["metadata"]["namespace"], user.secret)
        if secret is not None and not is_controlled_by(secret, body):
            raise _foreign(body, user)
        return secret

    async def _write_secret(
        self, context: Context, body: Body, user: KafkaUser, data: dict[str, str], applied: str | None, *, exists: bool
    ) -> dict[str, Any]:
        manifest = secret_manifest(body, user, data, applied)
        if exists:
            return await context.cluster.apply(manifest)
        try:
            return await context.cluster.create(manifest)
        except AlreadyExists:
            raise _foreign(body, user) from None

    def _facts(self, context: Context, user: KafkaUser) -> Facts:
        facts: Facts = {"userName": user.name, "principal": principal(user.name), "secretName": user.secret}
        if cluster_id := context.connections.cluster_id(user.connection):
            facts["clusterId"] = cluster_id
        return facts

    async def release(self, context: Context, body: Body) -> None:
        """Remove the credential, unless it is to be retained or was never ours; and the Secret."""
        user = KafkaUser.of(body)
        if user.is_ours and user.deletion_policy == "Delete":
            admin = await context.connections.admin(user.connection)
            for mechanism in await users.observe_one(admin, user.name):
                await users.delete(admin, DeleteCredential(user.name, mechanism))
        secret = await context.cluster.get("v1", "Secret", body["metadata"]["namespace"], user.secret)
        if secret is not None and is_controlled_by(secret, body):
            await context.cluster.delete(secret, "v1", "Secret")


def _foreign(body: Body, user: KafkaUser) -> Stalled:
    return Stalled(
        Reason.SECRET_CONFLICT,
        f"Secret {body['metadata']['namespace']}/{user.secret} exists and was not made by this resource, so it is not overwritten. Set "
        "secret.name in a new KafkaUser, or remove the Secret.",
    )


def _entry(secret: dict[str, Any] | None, key: str) -> str:
    data = (secret or {}).get("data") or {}
    return base64.b64decode(data.get(key, "")).decode()


def _annotation(secret: dict[str, Any] | None) -> str | None:
    found: str | None = ((secret or {}).get("metadata", {}).get("annotations") or {}).get(APPLIED_ANNOTATION)
    return found


def _holds(secret: dict[str, Any] | None, data: dict[str, str]) -> bool:
    return secret is not None and all(_entry(secret, key) == value for key, value in data.items())
