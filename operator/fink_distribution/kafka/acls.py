"""ACL bindings: observe and apply."""

from __future__ import annotations

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

from fink_distribution.kafka.admin import KafkaAdmin, each
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
_TYPE_NAMES = {value: key for key, value in _TYPES.items()}
_PATTERN_NAMES = {value: key for key, value in _PATTERNS.items()}
_OPERATION_NAMES = {value: key for key, value in _OPERATIONS.items()}


def _arguments(binding: Binding, principal: str) -> tuple[Any, ...]:
    return (
        _TYPES[binding.resource_type],
        binding.resource_name,
        _PATTERNS[binding.pattern_type],
        principal,
        binding.host,
        _OPERATIONS[binding.operation],
        AclPermissionType.ALLOW,
    )


async def observe(admin: KafkaAdmin, principal: str | None = None) -> Mapping[str, frozenset[Binding]]:
    """List Allow bindings by principal: of one, or of all.

    Deny rules, and kinds of rules that no KafkaAcl can declare, are not listed: they are never ours.
    """
    wanted = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, principal, None, AclOperation.ANY, AclPermissionType.ANY
    )
    found = await admin.result("listing the ACLs", admin.call("describe_acls", wanted))
    by_principal: defaultdict[str, set[Binding]] = defaultdict(set)
    for acl in found:
        known = (
            acl.permission_type is AclPermissionType.ALLOW
            and acl.restype in _TYPE_NAMES
            and acl.resource_pattern_type in _PATTERN_NAMES
            and acl.operation in _OPERATION_NAMES
        )
        if known:
            by_principal[acl.principal].add(
                Binding(
                    _TYPE_NAMES[acl.restype],
                    acl.name,
                    _PATTERN_NAMES[acl.resource_pattern_type],
                    _OPERATION_NAMES[acl.operation],
                    acl.host,
                )
            )
    return {name: frozenset(bindings) for name, bindings in by_principal.items()}


async def grant(admin: KafkaAdmin, principal: str, bindings: Iterable[Binding]) -> None:
    """Create bindings; one that exists already is fine."""
    wanted = [AclBinding(*_arguments(binding, principal)) for binding in bindings]
    if wanted:
        await each(
            admin.call("create_acls", wanted),
            lambda _, future: admin.result(f"granting permissions to {principal}", future),
        )


async def revoke(admin: KafkaAdmin, principal: str, bindings: Iterable[Binding]) -> None:
    """Remove exactly these bindings; one that is gone already is fine."""
    wanted = [AclBindingFilter(*_arguments(binding, principal)) for binding in bindings]
    if wanted:
        await each(
            admin.call("delete_acls", wanted),
            lambda _, future: admin.result(f"revoking permissions of {principal}", future),
        )
