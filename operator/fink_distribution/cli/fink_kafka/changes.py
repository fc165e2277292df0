"""What the services do in Kafka, by the operator's own plans."""

from __future__ import annotations

from collections.abc import Set

from fink_distribution.kafka import acls, topics, users
from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.kafka.topics import TopicExists
from fink_distribution.manifests.exporting import Manifest
from fink_distribution.plans.acls import AclPlan, plan_acls
from fink_distribution.plans.topics import CreateTopic, ObservedTopic, plan_topic
from fink_distribution.plans.users import DeleteCredential, ObservedUser, UpsertCredential, plan_user
from fink_distribution.resources.alert_topic import AlertTopic
from fink_distribution.resources.kafka_acl import Binding
from fink_distribution.resources.kafka_user import KafkaUser


async def create_topic(admin: KafkaAdmin, manifest: Manifest) -> tuple[ObservedTopic, bool]:
    """Create a topic unless it exists; return it, and whether it has been created now."""
    declared = AlertTopic.of(manifest)
    found = await topics.observe_one(admin, declared.name)
    if found is not None:
        return found, False
    (change,) = plan_topic(declared, None)
    assert isinstance(change, CreateTopic)  # noqa: S101 - of a topic that is not there
    try:
        return await topics.create(admin, change), True
    except TopicExists:
        return (await topics.observe(admin, [declared.name]))[declared.name], False


async def delete_topic(admin: KafkaAdmin, name: str) -> bool:
    """Delete a topic; False when there is none."""
    if await topics.observe_one(admin, name) is None:
        return False
    await topics.delete(admin, name)
    return True


async def write_user(admin: KafkaAdmin, manifest: Manifest, password: str) -> ObservedUser:
    """Write a user's credential, and remove those of other mechanisms; return what there was before."""
    declared = KafkaUser.of(manifest)
    found = await users.observe_one(admin, declared.name)
    for change in plan_user(declared, found, password_is_applied=False):
        if isinstance(change, UpsertCredential):
            await users.upsert(admin, change, password)
        else:
            await users.delete(admin, change)
    return found


async def delete_user(admin: KafkaAdmin, name: str) -> tuple[ObservedUser, frozenset[Binding]]:
    """Remove all credentials of a user; return what there was, and the permissions that stay."""
    found = await users.observe_one(admin, name)
    for mechanism in sorted(found):
        await users.delete(admin, DeleteCredential(name, mechanism))
    return found, await acls.observe_one(admin, f"User:{name}") if found else frozenset()


async def grant(admin: KafkaAdmin, principal: str, wanted: Set[Binding]) -> AclPlan:
    """Grant what is not granted yet; return what has been done."""
    plan = plan_acls(wanted, await acls.observe_one(admin, principal), frozenset(), frozenset())
    await acls.grant(admin, principal, plan.grants)
    return plan


async def revoke(admin: KafkaAdmin, principal: str, unwanted: Set[Binding]) -> AclPlan:
    """Revoke what is granted of these; return what has been done."""
    found = await acls.observe_one(admin, principal)
    plan = plan_acls(frozenset(), found, frozenset(unwanted & found), frozenset())
    await acls.revoke(admin, principal, plan.revokes)
    return plan
