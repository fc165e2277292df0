"""All that a cluster has of topics, users and permissions, for those who want to declare it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from confluent_kafka.admin import AclBindingFilter, AclOperation, AclPermissionType, ResourcePatternType, ResourceType

from fink_distribution.kafka import acls, topics, users
from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.manifests.inventory import ForeignAcl, Inventory
from fink_distribution.plans.users import ObservedUser
from fink_distribution.resources.kafka_acl import Binding


async def all_users(admin: KafkaAdmin) -> Mapping[str, ObservedUser]:
    """List all users that have a SCRAM credential."""
    what = "listing the users"
    await admin.require_describe(what)
    found = await admin.result(what, admin.call("describe_user_scram_credentials"))
    return await users.observe(admin, found)


async def all_acls(admin: KafkaAdmin) -> tuple[Mapping[str, frozenset[Binding]], tuple[ForeignAcl, ...]]:
    """List the bindings that a KafkaAcl can declare, by principal, and all others."""
    known = await acls.observe(admin)
    wanted = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    found = await admin.result("listing the ACLs", admin.call("describe_acls", wanted))
    declarable: defaultdict[str, set[Binding]] = defaultdict(set)
    others = []
    for acl in found:
        # librdkafka calls the Cluster resource BROKER.
        kind = "Cluster" if acl.restype is ResourceType.BROKER else _camel(acl.restype.name)
        binding = Binding(kind, acl.name, _camel(acl.resource_pattern_type.name), _camel(acl.operation.name), acl.host)
        if acl.permission_type is AclPermissionType.ALLOW and binding in known.get(acl.principal, frozenset()):
            declarable[acl.principal].add(binding)
        else:
            others.append(ForeignAcl(acl.principal, _camel(acl.permission_type.name), binding))
    return {who: frozenset(bindings) for who, bindings in declarable.items()}, tuple(sorted(others))


async def take(admin: KafkaAdmin, topic_names: frozenset[str]) -> Inventory:
    """Look at the named topics and at all users and permissions."""
    known, others = await all_acls(admin)
    return Inventory(await topics.observe(admin, topic_names), await all_users(admin), known, others)


def _camel(name: str) -> str:
    return "".join(word.title() for word in name.split("_"))
