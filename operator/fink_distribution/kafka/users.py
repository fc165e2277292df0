"""SCRAM credentials: observe and apply (KIP-554)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from confluent_kafka.admin import (
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from fink_distribution.kafka.admin import KafkaAdmin, each
from fink_distribution.plans.users import DeleteCredential, ObservedUser, UpsertCredential

_MECHANISMS = {"SCRAM-SHA-256": ScramMechanism.SCRAM_SHA_256, "SCRAM-SHA-512": ScramMechanism.SCRAM_SHA_512}
_NAMES = {mechanism: name for name, mechanism in _MECHANISMS.items()}


async def observe(admin: KafkaAdmin, names: Iterable[str]) -> Mapping[str, ObservedUser]:
    """Describe those of the users that have a credential: name -> mechanism -> iterations."""
    wanted = sorted(names)
    if not wanted:
        return {}
    await admin.require_describe(f"describing user {wanted[0]}")
    found = await each(
        admin.call("describe_user_scram_credentials", wanted),
        lambda name, future: admin.result_or_none(f"describing user {name}", future),
    )
    return {
        name: {
            _NAMES[info.mechanism]: info.iterations for info in user.scram_credential_infos if info.mechanism in _NAMES
        }
        for name, user in found.items()
        if user is not None
    }


async def observe_one(admin: KafkaAdmin, name: str) -> ObservedUser:
    """Describe one user; empty when there is none. Asked for together with others that are wanted at the same time."""
    return await admin.gathered(_observe, name, None)


async def _observe(admin: KafkaAdmin, names: Mapping[str, None]) -> Mapping[str, ObservedUser | BaseException]:
    found = await observe(admin, names)
    return {name: found.get(name, {}) for name in names}


async def upsert(admin: KafkaAdmin, change: UpsertCredential, password: str) -> None:
    """Write a credential; librdkafka salts and hashes the password itself, the broker never sees it."""
    info = ScramCredentialInfo(_MECHANISMS[change.mechanism], change.iterations)
    alteration = UserScramCredentialUpsertion(change.user, info, password.encode())
    futures = admin.call("alter_user_scram_credentials", [alteration])
    await admin.result(f"writing the credential of user {change.user}", futures[change.user])


async def delete(admin: KafkaAdmin, change: DeleteCredential) -> None:
    """Remove a credential; one that is gone already is fine."""
    alteration = UserScramCredentialDeletion(change.user, _MECHANISMS[change.mechanism])
    futures = admin.call("alter_user_scram_credentials", [alteration])
    await admin.result_or_none(f"removing the credential of user {change.user}", futures[change.user])
