"""Client quotas of users: observe and apply (KIP-546)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.kafka.protocol import protocol_client
from fink_distribution.plans.quotas import AlterQuotas, ObservedQuotas

_USER = "user"
_EXACT, _SPECIFIED = 0, 2


async def observe(admin: KafkaAdmin) -> Mapping[str, ObservedQuotas]:
    """List the quotas of all users that have any, in one call: name -> Kafka's key -> value.

    Quotas of a user together with a client id, and those of the default user, are not listed: they are never ours.
    """
    return await _describe(admin, "listing the quotas", {"match_type": _SPECIFIED, "match": None})


async def observe_one(admin: KafkaAdmin, name: str) -> ObservedQuotas:
    """Return one user's quotas; empty when there are none. When many are asked for at the same time, from one listing of all."""
    return await admin.gathered(_observe, name, None)


async def _observe(admin: KafkaAdmin, names: Mapping[str, None]) -> Mapping[str, ObservedQuotas | BaseException]:
    if len(names) == 1:
        (name,) = names
        found = await _describe(admin, f"reading the quotas of user {name}", {"match_type": _EXACT, "match": name})
    else:
        found = await observe(admin)
    return {name: found.get(name, {}) for name in names}


async def _describe(admin: KafkaAdmin, what: str, match: Mapping[str, Any]) -> Mapping[str, ObservedQuotas]:
    def request() -> Any:
        from kafka.protocol.admin import DescribeClientQuotasRequest as Request

        # strict: only entities that are a user and nothing else.
        return Request(components=[Request.ComponentData(entity_type=_USER, **match)], strict=True)

    client = protocol_client(admin)
    response = await client.ask("describe_client_quotas", what, request)
    client.check(what, response.error_code, response.error_message)
    return {
        part.entity_name: {value.key: value.value for value in entry.values}
        for entry in response.entries or []
        for part in entry.entity
        if part.entity_name is not None
    }


async def alter(admin: KafkaAdmin, change: AlterQuotas) -> None:
    """Set and unset quotas of one user, leaving all other keys as they are."""
    await admin.gathered(_alter, change.user, change)


async def _alter(admin: KafkaAdmin, changes: Mapping[str, AlterQuotas]) -> Mapping[str, BaseException | None]:
    def request() -> Any:
        from kafka.protocol.admin import AlterClientQuotasRequest as Request

        return Request(entries=[_entry(Request.EntryData, change) for change in changes.values()], validate_only=False)

    client = protocol_client(admin)
    response = await client.ask("alter_client_quotas", f"changing the quotas of {len(changes)} user(s)", request)
    return {
        entry.entity[0].entity_name: client.failure(
            f"changing the quotas of user {entry.entity[0].entity_name}", entry.error_code, entry.error_message
        )
        for entry in response.entries
    }


def _entry(entry: Any, change: AlterQuotas) -> Any:
    """Return one user's changes as kafka-python's class of entries takes them."""
    ops = [entry.OpData(key=key, value=float(value), remove=False) for key, value in change.set.items()]
    ops += [entry.OpData(key=key, value=0.0, remove=True) for key in change.unset]
    return entry(entity=[entry.EntityData(entity_type=_USER, entity_name=change.user)], ops=ops)
