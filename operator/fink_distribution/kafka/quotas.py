"""Client quotas of users: observe and apply (KIP-546)."""

from __future__ import annotations

from collections.abc import Mapping

from kafka.protocol.admin import AlterClientQuotasRequest, DescribeClientQuotasRequest

from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.kafka.protocol import protocol_client
from fink_distribution.plans.quotas import AlterQuotas, ObservedQuotas

_USER = "user"
_EXACT, _SPECIFIED = 0, 2


async def observe(admin: KafkaAdmin) -> Mapping[str, ObservedQuotas]:
    """List the quotas of all users that have any, in one call: name -> Kafka's key -> value.

    Quotas of a user together with a client id, and those of the default user, are not listed: they are never ours.
    """
    return await _describe(
        admin,
        "listing the quotas",
        DescribeClientQuotasRequest.ComponentData(entity_type=_USER, match_type=_SPECIFIED, match=None),
    )


async def observe_one(admin: KafkaAdmin, name: str) -> ObservedQuotas:
    """Return one user's quotas; empty when there are none."""
    component = DescribeClientQuotasRequest.ComponentData(entity_type=_USER, match_type=_EXACT, match=name)
    return (await _describe(admin, f"reading the quotas of user {name}", component)).get(name, {})


async def _describe(
    admin: KafkaAdmin, what: str, component: DescribeClientQuotasRequest.ComponentData
) -> Mapping[str, ObservedQuotas]:
    client = protocol_client(admin)
    # strict: only entities that are a user and nothing else.
    response = await client.ask(what, DescribeClientQuotasRequest(components=[component], strict=True))
    client.check(what, response.error_code, response.error_message)
    return {
        part.entity_name: {value.key: value.value for value in entry.values}
        for entry in response.entries or []
        for part in entry.entity
        if part.entity_name is not None
    }


async def alter(admin: KafkaAdmin, change: AlterQuotas) -> None:
    """Set and unset quotas of one user, leaving all other keys as they are."""
    request = AlterClientQuotasRequest
    entity = request.EntryData.EntityData(entity_type=_USER, entity_name=change.user)
    ops = [request.EntryData.OpData(key=key, value=float(value), remove=False) for key, value in change.set.items()]
    ops += [request.EntryData.OpData(key=key, value=0.0, remove=True) for key in change.unset]
    what = f"changing the quotas of user {change.user}"
    client = protocol_client(admin)
    response = await client.ask(
        what, request(entries=[request.EntryData(entity=[entity], ops=ops)], validate_only=False)
    )
    for entry in response.entries:
        client.check(what, entry.error_code, entry.error_message)
