"""What others have in the same Kafka, and in the same Kubernetes, is theirs: whatever we do, it is as it was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from confluent_kafka import TopicCollection
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ConfigResource,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from cluster.operator.by_hand import alter_quotas, kafka_of, quotas_of
from cluster.operator.scene import ANY_ACL, Scene
from fink_distribution.resources.keys import GROUP
from testbed.fixtures import wait_for
from testbed.polling import poll

STRIMZI = "kafka.strimzi.io"


def _crd(kind: str, plural: str, short: str) -> dict[str, Any]:
    """One of Strimzi's kinds, with its names and without its fields: names are what could collide."""
    names = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower(), "shortNames": [short]}
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema, "subresources": {"status": {}}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{STRIMZI}"},
        "spec": {"group": STRIMZI, "scope": "Namespaced", "names": names, "versions": [version]},
    }


@pytest.fixture
def neighbours(scene: Scene) -> Iterator[Scene]:
    """Topics, users, permissions and quotas of others, some of them under names that begin as ours do; and Strimzi's kinds."""
    topics = [scene.name("foreign"), scene.name("ours-not")]
    for future in scene.admin.create_topics(
        [NewTopic(topic, 2, 1, config={"retention.ms": "1"}) for topic in topics]
    ).values():
        future.result()
    credential = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 8192)
    written = [UserScramCredentialUpsertion(scene.name(user), credential, b"known") for user in ("foreign", "ours-not")]
    for future in scene.admin.alter_user_scram_credentials(written).values():
        future.result()
    words = (ResourceType.TOPIC, scene.name("ours"), ResourcePatternType.PREFIXED)
    bindings = [
        AclBinding(*words, f"User:{scene.name(user)}", "*", operation, permission)
        for user in ("foreign", "ours")
        for operation in (AclOperation.ALTER, AclOperation.READ)
        for permission in (AclPermissionType.ALLOW, AclPermissionType.DENY)
    ]
    for made in scene.admin.create_acls(bindings).values():
        made.result()
    alter_quotas(kafka_of(scene), scene.name("foreign"), producer_byte_rate=1024)
    scene.apply(_crd("KafkaTopic", "kafkatopics", "kt"), _crd("KafkaUser", "kafkausers", "ku"))
    scene.kubectl(
        "wait",
        "--for=condition=Established",
        "--timeout=30s",
        f"crd/kafkausers.{STRIMZI}",
        f"crd/kafkatopics.{STRIMZI}",
    )
    wait_for(lambda: set(topics) <= scene.topics().keys() and len(scene.users()) == 2, what="all of it is there")
    yield scene
    scene.kubectl("delete", "crd", f"kafkausers.{STRIMZI}", f"kafkatopics.{STRIMZI}")


def _theirs(scene: Scene) -> dict[str, Any]:
    """All that others have, as Kafka lists it."""
    topics = [scene.name("foreign"), scene.name("ours-not")]
    described = scene.admin.describe_topics(TopicCollection(topics))
    wanted = AclBindingFilter(*ANY_ACL, None, None, AclOperation.ANY, AclPermissionType.ANY)
    ours = {f"{AclOperation.READ.name} {scene.name('ours')}", f"{AclOperation.DESCRIBE.name} {scene.name('ours')}"}
    return {
        "topics": {
            name: (str(future.result().topic_id), len(future.result().partitions)) for name, future in described.items()
        },
        "configs": {
            name: {
                key: entry.value
                for key, entry in scene.admin.describe_configs([ConfigResource(ResourceType.TOPIC, name)])[
                    ConfigResource(ResourceType.TOPIC, name)
                ]
                .result()
                .items()
            }
            for name in topics
        },
        "users": {
            name: [(info.mechanism, info.iterations) for info in future.result().scram_credential_infos]
            for name, future in scene.admin.describe_user_scram_credentials(
                [scene.name("foreign"), scene.name("ours-not")]
            ).items()
        },
        "acls": {
            str(acl)
            for acl in scene.admin.describe_acls(wanted).result()
            if acl.name.startswith(scene.namespace)
            and not (
                acl.resource_pattern_type is ResourcePatternType.LITERAL and f"{acl.operation.name} {acl.name}" in ours
            )
        },
        "quotas": quotas_of(kafka_of(scene), scene.name("foreign")),
    }


def test_what_others_have_is_as_it_was_through_create_change_drift_and_delete(neighbours: Scene) -> None:
    scene = neighbours
    strimzi = {
        "apiVersion": f"{STRIMZI}/v1",
        "kind": "KafkaUser",
        "metadata": {"name": "ours", "namespace": scene.namespace},
    }
    scene.apply({**strimzi, "spec": {"authentication": {"type": "scram-sha-512"}}})
    before = _theirs(scene)
    assert len(before["acls"]) == 8
    group = f"kafkausers.{GROUP}"
    for partitions, quota in ((1, 2048), (3, 4096)):
        ours = scene.name("ours")
        topic = {"topicName": ours, "partitions": partitions, "deletionPolicy": "Delete"}
        consumer = {"topics": [{"topicRef": {"name": "ours"}}], "group": {"name": "elsewhere"}}
        scene.declare("AlertTopic", "ours", topic)
        scene.declare("KafkaUser", "ours", {"userName": ours, "quotas": {"producerByteRate": quota}})
        scene.declare("KafkaAcl", "ours", {"userRef": {"name": "ours"}, "consumer": consumer})
        for kind in ("alerttopic", group, "kafkaacl"):
            scene.ready(kind, "ours", "Reconciled")
        assert _theirs(scene) == before
    assert not poll(lambda: _theirs(scene) != before, 5), "drift passes leave it alone"
    scene.kubectl("delete", f"alerttopic,{group},kafkaacl", "ours", "-n", scene.namespace, "--timeout=60s")
    wait_for(lambda: scene.name("ours") not in scene.topics(), what="ours is gone")
    assert scene.users() == {scene.name("foreign"), scene.name("ours-not")}
    assert _theirs(scene) == before
    found = scene.kubectl(
        "get", f"kafkausers.{STRIMZI}", "ours", "-n", scene.namespace, "-o", "jsonpath={.metadata.finalizers}{.status}"
    )
    assert found == "", "Strimzi's user of the same name is not ours"
