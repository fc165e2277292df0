"""SCRAM credentials: observe and apply (KIP-554)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from confluent_kafka import KafkaError
from confluent_kafka.admin import ScramMechanism

from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.kafka.failures import is_absent
from fink_distribution.kafka.protocol import protocol_client
from fink_distribution.plans.users import DeleteCredential, ObservedUser, UpsertCredential

_MECHANISMS = {"SCRAM-SHA-256": ScramMechanism.SCRAM_SHA_256, "SCRAM-SHA-512": ScramMechanism.SCRAM_SHA_512}
_DIGESTS = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}
_SALT_BYTES = 32

Credential = tuple[str, str]
"""A user's name and a mechanism."""

_NAMES = {mechanism.value: name for name, mechanism in _MECHANISMS.items()}


async def observe(admin: KafkaAdmin, names: Iterable[str]) -> Mapping[str, ObservedUser]:
    """Describe those of the users that have a credential: name -> mechanism -> iterations."""
    wanted = sorted(names)
    return await _describe(admin, f"describing user {wanted[0]}", wanted) if wanted else {}


async def observe_all(admin: KafkaAdmin) -> Mapping[str, ObservedUser]:
    """Describe all users that have a credential."""
    return await _describe(admin, "listing the users", None)


async def _describe(admin: KafkaAdmin, what: str, names: Iterable[str] | None) -> Mapping[str, ObservedUser]:
    """Describe users, all of them for None.

    It goes through kafka-python, because librdkafka 2.16 aborts the whole process when the broker answers with an error, as one
    does that is not allowed to tell, or that is shutting down.
    """

    def request() -> Any:
        from kafka.protocol.admin import DescribeUserScramCredentialsRequest as Request

        return Request(users=None if names is None else [Request.UserName(name=name) for name in names])

    client = protocol_client(admin)
    response = await client.ask("describe_user_scram_credentials", what, request)
    client.check(what, response.error_code, response.error_message)
    found: dict[str, ObservedUser] = {}
    for user in response.results:
        if is_absent(KafkaError(user.error_code)):
            continue
        client.check(f"describing user {user.user}", user.error_code, user.error_message)
        found[user.user] = {
            _NAMES[info.mechanism]: info.iterations for info in user.credential_infos if info.mechanism in _NAMES
        }
    return found


async def observe_one(admin: KafkaAdmin, name: str) -> ObservedUser:
    """Describe one user; empty when there is none. Asked for together with others that are wanted at the same time."""
    return await admin.gathered(_observe, name, None)


async def _observe(admin: KafkaAdmin, names: Mapping[str, None]) -> Mapping[str, ObservedUser | BaseException]:
    found = await observe(admin, names)
    return {name: found.get(name, {}) for name in names}


async def upsert(admin: KafkaAdmin, change: UpsertCredential, password: str) -> None:
    """Write a credential: salt and hash of the password, which the broker never sees (RFC 5802).

    It goes through kafka-python, because librdkafka hashes in its one background thread, 6.5 ms a user, and OpenSSL takes 2.4 ms
    in as many threads as there are.
    """
    await admin.gathered(_upsert, (change.user, change.mechanism), (change, password))


async def _upsert(
    admin: KafkaAdmin, items: Mapping[Credential, tuple[UpsertCredential, str]]
) -> Mapping[Credential, BaseException | None]:
    def request() -> Any:
        from kafka.protocol.admin import AlterUserScramCredentialsRequest as Request

        return Request(deletions=[], upsertions=[_hashed(change, password) for change, password in items.values()])

    return await _alter(admin, "writing", items, request)


def _hashed(change: UpsertCredential, password: str) -> tuple[str, int, int, bytes, bytes]:
    salt = os.urandom(_SALT_BYTES)
    digest = _DIGESTS[change.mechanism]
    salted = hashlib.pbkdf2_hmac(digest, password.encode(), salt, change.iterations)
    return change.user, _MECHANISMS[change.mechanism].value, change.iterations, salt, salted


async def delete(admin: KafkaAdmin, change: DeleteCredential) -> None:
    """Remove a credential; one that is gone already is fine."""
    await admin.gathered(_delete, (change.user, change.mechanism), None)


async def _delete(admin: KafkaAdmin, items: Mapping[Credential, None]) -> Mapping[Credential, BaseException | None]:
    def request() -> Any:
        from kafka.protocol.admin import AlterUserScramCredentialsRequest as Request

        return Request(deletions=[(user, _MECHANISMS[mechanism].value) for user, mechanism in items], upsertions=[])

    return await _alter(admin, "removing", items, request)


async def _alter(
    admin: KafkaAdmin, doing: str, items: Mapping[Credential, Any], request: Callable[[], Any]
) -> Mapping[Credential, BaseException | None]:
    """Send a request about credentials. Kafka answers by user; a user has two items in one request only if they go together."""
    client = protocol_client(admin)
    what = f"{doing} the credentials of {len(items)} user(s)"
    response = await client.ask("alter_user_scram_credentials", what, request)
    failures = {
        result.user: client.failure(
            f"{doing} the credential of user {result.user}", result.error_code, result.error_message
        )
        for result in response.results
        if not is_absent(KafkaError(result.error_code))
    }
    return {item: failures.get(item[0]) for item in items}
