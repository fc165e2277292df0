"""ACL bindings that librdkafka 2.16 cannot express, by kafka-python.

Delegation tokens (KIP-48), users (KIP-373) and two-phase commits (KIP-939): librdkafka lists them as UNKNOWN and cannot make them.
kafka-python sends the protocol's numbers as they are, so its requests are used, and not its enumerations, which end before KIP-939 and
fail on the first binding that they do not know. It is imported when it is first needed, by the thread that sends: that takes most of a second and 10 MiB.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.kafka.protocol import protocol_client
from fink_distribution.resources.kafka_acl import Binding

# Numbers of the protocol: org.apache.kafka.common.acl.AclOperation and org.apache.kafka.common.resource.ResourceType.
_TYPES = {"TransactionalId": 5, "DelegationToken": 6, "User": 7}
_PATTERNS = {"Literal": 3, "Prefixed": 4}
_OPERATIONS = {"All": 2, "Describe": 8, "CreateTokens": 13, "DescribeTokens": 14, "TwoPhaseCommit": 15}
_PERMISSIONS = {"Deny": 2, "Allow": 3}
_ANY = 1
_NAMES = {
    "type": {number: name for name, number in _TYPES.items()},
    "pattern": {number: name for name, number in _PATTERNS.items()},
    "operation": {number: name for name, number in _OPERATIONS.items()},
    "permission": {number: name for name, number in _PERMISSIONS.items()},
}
_MIN_VERSION = 3
"""The first version of the requests that knows the type User; Kafka 3.3 and newer."""


def is_newer(binding: Binding) -> bool:
    """Say whether a binding is one that librdkafka cannot express."""
    return binding.resource_type in ("DelegationToken", "User") or binding.operation == "TwoPhaseCommit"


async def observe(admin: KafkaAdmin, principal: str | None) -> Mapping[str, frozenset[Binding]]:
    """List by principal, of one or of all, the bindings that librdkafka cannot express; what nobody knows is left out."""

    def request() -> Any:
        from kafka.protocol.admin import DescribeAclsRequest

        return DescribeAclsRequest(
            min_version=_MIN_VERSION,
            resource_type_filter=_ANY,
            resource_name_filter=None,
            pattern_type_filter=_ANY,
            principal_filter=principal,
            host_filter=None,
            operation=_ANY,
            permission_type=_ANY,
        )

    what = "listing the ACLs about tokens, users and two-phase commits"
    response = await _ask(admin, "describe_acls", what, request, lambda found: [found.error_code])
    by_principal: defaultdict[str, set[Binding]] = defaultdict(set)
    for resource in response.resources:
        for acl in resource.acls:
            binding = _read(resource, acl)
            if binding is not None and is_newer(binding):
                by_principal[acl.principal].add(binding)
    return {name: frozenset(found) for name, found in by_principal.items()}


def _read(resource: Any, acl: Any) -> Binding | None:
    kind = _NAMES["type"].get(resource.resource_type)
    pattern = _NAMES["pattern"].get(resource.pattern_type)
    operation = _NAMES["operation"].get(acl.operation)
    permission = _NAMES["permission"].get(acl.permission_type)
    if kind is None or pattern is None or operation is None or permission is None:
        return None
    return Binding(kind, resource.resource_name, pattern, operation, acl.host, permission)


async def grant(admin: KafkaAdmin, principal: str, bindings: Sequence[Binding]) -> None:
    """Create bindings; one that exists already is fine."""

    def request() -> Any:
        from kafka.protocol.admin import CreateAclsRequest

        creations = [
            CreateAclsRequest.AclCreation(
                resource_type=_TYPES[each.resource_type],
                resource_name=each.resource_name,
                resource_pattern_type=_PATTERNS[each.pattern_type],
                principal=principal,
                host=each.host,
                operation=_OPERATIONS[each.operation],
                permission_type=_PERMISSIONS[each.permission],
            )
            for each in bindings
        ]
        return CreateAclsRequest(creations=creations, min_version=_MIN_VERSION)

    if bindings:
        await _ask(admin, "create_acls", f"granting permissions to {principal}", request, _codes("results"))


async def revoke(admin: KafkaAdmin, principal: str, bindings: Sequence[Binding]) -> None:
    """Remove exactly these bindings; one that is gone already is fine."""

    def request() -> Any:
        from kafka.protocol.admin import DeleteAclsRequest

        filters = [
            DeleteAclsRequest.DeleteAclsFilter(
                resource_type_filter=_TYPES[each.resource_type],
                resource_name_filter=each.resource_name,
                pattern_type_filter=_PATTERNS[each.pattern_type],
                principal_filter=principal,
                host_filter=each.host,
                operation=_OPERATIONS[each.operation],
                permission_type=_PERMISSIONS[each.permission],
            )
            for each in bindings
        ]
        return DeleteAclsRequest(filters=filters, min_version=_MIN_VERSION)

    if bindings:
        await _ask(admin, "delete_acls", f"revoking permissions of {principal}", request, _codes("filter_results"))


def _codes(field: str) -> Callable[[Any], list[int]]:
    return lambda response: [each.error_code for each in getattr(response, field)]


async def _ask(
    admin: KafkaAdmin, name: str, what: str, request: Callable[[], Any], codes: Callable[[Any], list[int]]
) -> Any:
    client = protocol_client(admin)
    found = await client.ask(name, what, request)
    for code in codes(found):
        client.check(what, code, None)
    return found
