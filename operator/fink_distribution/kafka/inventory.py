"""All that a cluster has of topics, users and permissions, for those who want to declare it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from confluent_kafka.admin import AclBindingFilter, AclOperation, AclPermissionType, ResourcePatternType, ResourceType

from fink_distribution.kafka import acls, newer_acls, quotas, topics, users
from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.manifests.inventory import ForeignAcl, Inventory
from fink_distribution.resources.kafka_acl import Binding


async def all_acls(admin: KafkaAdmin) -> tuple[Mapping[str, frozenset[Binding]], tuple[ForeignAcl, ...]]:
    """List the bindings that are known, by principal, and those that no client library here can name."""
    known = await acls.observe(admin)
    wanted = AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, None, None, AclOperation.ANY, AclPermissionType.ANY
    )
    found = await admin.result("listing the ACLs", admin.call("describe_acls", wanted))
    unnamed: Counter[str] = Counter(acl.principal for acl in found if not acls.is_named(acl))
    for who, bindings in known.items():
        # librdkafka has no name for these, and they are known all the same.
        unnamed[who] -= sum(newer_acls.is_newer(binding) for binding in bindings)
    return known, tuple(ForeignAcl(who, count) for who, count in sorted(unnamed.items()) if count > 0)


async def take(admin: KafkaAdmin, topic_names: frozenset[str]) -> Inventory:
    """Look at the named topics and at all users and permissions."""
    known, others = await all_acls(admin)
    return Inventory(
        await topics.observe(admin, topic_names),
        await users.observe_all(admin),
        known,
        others,
        await quotas.observe(admin),
    )
