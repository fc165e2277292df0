"""ACL bindings: observe and apply."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from fink_distribution.errors import ReconcileError
from fink_distribution.kafka import newer_acls
from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.resources.kafka_acl import Binding

# librdkafka calls the Cluster resource BROKER; the protocol's number is the same.
_TYPES = {
    "Topic": ResourceType.TOPIC,
    "Group": ResourceType.GROUP,
    "TransactionalId": ResourceType.TRANSACTIONAL_ID,
    "Cluster": ResourceType.BROKER,
}
_PATTERNS = {"Literal": ResourcePatternType.LITERAL, "Prefixed": ResourcePatternType.PREFIXED}
_OPERATIONS = {
    "All": AclOperation.ALL,
    "Read": AclOperation.READ,
    "Write": AclOperation.WRITE,
    "Create": AclOperation.CREATE,
    "Delete": AclOperation.DELETE,
    "Alter": AclOperation.ALTER,
    "Describe": AclOperation.DESCRIBE,
    "ClusterAction": AclOperation.CLUSTER_ACTION,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
    "AlterConfigs": AclOperation.ALTER_CONFIGS,
    "IdempotentWrite": AclOperation.IDEMPOTENT_WRITE,
}
_PERMISSIONS = {"Allow": AclPermissionType.ALLOW, "Deny": AclPermissionType.DENY}
_TYPE_NAMES = {value: key for key, value in _TYPES.items()}
_PATTERN_NAMES = {value: key for key, value in _PATTERNS.items()}
_OPERATION_NAMES = {value: key for key, value in _OPERATIONS.items()}
_PERMISSION_NAMES = {value: key for key, value in _PERMISSIONS.items()}
# Beyond it, all bindings are listed. The client makes an object of each that it lists, which costs more than a question for each of a few.
_ASKED_SINGLY = 50


def _arguments(binding: Binding, principal: str) -> tuple[Any, ...]:
    return (
        _TYPES[binding.resource_type],
        binding.resource_name,
        _PATTERNS[binding.pattern_type],
        principal,
        binding.host,
        _OPERATIONS[binding.operation],
        _PERMISSIONS[binding.permission],
    )


def _parted(bindings: Iterable[Binding]) -> tuple[list[Binding], list[Binding]]:
    """Part what librdkafka can express from what it cannot."""
    found: tuple[list[Binding], list[Binding]] = ([], [])
    for binding in bindings:
        found[newer_acls.is_newer(binding)].append(binding)
    return found


Entry = tuple[str, Binding]
"""A principal and one of its bindings."""


async def observe(admin: KafkaAdmin, principal: str | None = None) -> Mapping[str, frozenset[Binding]]:
    """List bindings by principal: of one, or of all.

    Raises
    ------
    ReconcileError
        Kafka is away, or does not let us see them.
    """
    found = await _list(admin, principal)
    if not found:
        await _require_sight(admin)
    return found


async def _require_sight(admin: KafkaAdmin) -> None:
    """Make sure that there is nothing when nothing is listed: librdkafka 2.16 gives that to a login without the right, too."""
    await admin.require_describe("listing the ACLs")


async def _list(admin: KafkaAdmin, principal: str | None) -> Mapping[str, frozenset[Binding]]:
    """Ask for the bindings, whether or not we may see them.

    What librdkafka does not know it lists as UNKNOWN; then the listing is completed by `newer_acls`. What nobody knows is left out:
    it is never ours.
    """
    wanted = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, principal, None, AclOperation.ANY, AclPermissionType.ANY
    )
    found = await admin.result("listing the ACLs", admin.call("describe_acls", wanted))
    by_principal: defaultdict[str, set[Binding]] = defaultdict(set)
    is_whole = True
    for acl in found:
        binding = _binding(acl)
        is_whole &= binding is not None
        if binding is not None:
            by_principal[acl.principal].add(binding)
    if not is_whole:
        for name, newer in (await newer_acls.observe(admin, principal)).items():
            by_principal[name] |= newer
    return {name: frozenset(bindings) for name, bindings in by_principal.items()}


async def observe_one(admin: KafkaAdmin, principal: str) -> frozenset[Binding]:
    """List the bindings of one principal; when very many are wanted at the same time, from one listing of all."""
    return await admin.gathered(_observe, principal, None)


async def _observe(
    admin: KafkaAdmin, principals: Mapping[str, None]
) -> Mapping[str, frozenset[Binding] | BaseException]:
    if len(principals) > _ASKED_SINGLY:
        found = await observe(admin)
        return {principal: found.get(principal, frozenset()) for principal in principals}
    each = await asyncio.gather(*(_list(admin, principal) for principal in principals), return_exceptions=True)
    answers = dict(zip(principals, each, strict=True))
    if empty := [principal for principal, answer in answers.items() if not answer]:
        # Once for all of them: in a burst of new users that is nearly everybody.
        try:
            await _require_sight(admin)
        except ReconcileError as error:
            answers |= dict.fromkeys(empty, error)
    return {
        principal: answer if isinstance(answer, BaseException) else answer.get(principal, frozenset())
        for principal, answer in answers.items()
    }


def is_named(acl: AclBinding) -> bool:
    """Say whether librdkafka knows what the binding is about; what it does not, it lists as UNKNOWN."""
    return (
        acl.permission_type in _PERMISSION_NAMES
        and acl.restype in _TYPE_NAMES
        and acl.resource_pattern_type in _PATTERN_NAMES
        and acl.operation in _OPERATION_NAMES
    )


def _binding(acl: AclBinding) -> Binding | None:
    if not is_named(acl):
        return None
    return Binding(
        _TYPE_NAMES[acl.restype],
        acl.name,
        _PATTERN_NAMES[acl.resource_pattern_type],
        _OPERATION_NAMES[acl.operation],
        acl.host,
        _PERMISSION_NAMES[acl.permission_type],
    )


async def grant(admin: KafkaAdmin, principal: str, bindings: Iterable[Binding]) -> None:
    """Create bindings; one that exists already is fine."""
    wanted, newer = _parted(bindings)
    await newer_acls.grant(admin, principal, newer)
    await _each(admin, _grant, principal, wanted)


async def revoke(admin: KafkaAdmin, principal: str, bindings: Iterable[Binding]) -> None:
    """Remove exactly these bindings; one that is gone already is fine."""
    wanted, newer = _parted(bindings)
    await newer_acls.revoke(admin, principal, newer)
    await _each(admin, _revoke, principal, wanted)


async def _each(admin: KafkaAdmin, request: Any, principal: str, bindings: Iterable[Binding]) -> None:
    """Send all of them, and only then raise the first failure, so that no binding is held up by another."""
    results = await asyncio.gather(
        *(admin.gathered(request, (principal, binding), None) for binding in bindings), return_exceptions=True
    )
    for result in results:
        if isinstance(result, BaseException):
            raise result


async def _grant(admin: KafkaAdmin, entries: Mapping[Entry, None]) -> Mapping[Entry, BaseException | None]:
    by_acl = {AclBinding(*_arguments(binding, principal)): (principal, binding) for principal, binding in entries}
    found = await admin.outcomes(
        admin.call("create_acls", list(by_acl)),
        lambda acl, future: admin.result(f"granting permissions to {acl.principal}", future),
    )
    return {by_acl[acl]: answer for acl, answer in found.items()}


async def _revoke(admin: KafkaAdmin, entries: Mapping[Entry, None]) -> Mapping[Entry, BaseException | None]:
    by_acl = {AclBindingFilter(*_arguments(binding, principal)): (principal, binding) for principal, binding in entries}
    found = await admin.outcomes(
        admin.call("delete_acls", list(by_acl)),
        lambda acl, future: admin.result(f"revoking permissions of {acl.principal}", future),
    )
    return {by_acl[acl]: answer if isinstance(answer, BaseException) else None for acl, answer in found.items()}
