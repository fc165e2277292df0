"""The policies of a KafkaConnection, as the operator enforces them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cluster.operator.scene import MakeScene, Scene
from testbed.fixtures import wait_for


def policy(scene: Scene, **more: Any) -> dict[str, Any]:
    """A policy for this scene's namespace that allows names of this scene."""
    mine = ["{namespace}."]
    names = {"topicPrefixes": mine, "userPrefixes": mine, "groupPrefixes": mine, "transactionalIdPrefixes": mine}
    return {"name": "tenants", "namespaces": [scene.namespace], **names, **more}


def govern(scene: Scene, *policies: dict[str, Any]) -> None:
    """Give the connection these policies, and no others."""
    scene.apply(scene.connection(policies=list(policies)))


def test_names_outside_the_policy_are_refused_and_a_change_of_the_policy_wakes(make_scene: MakeScene) -> None:
    scene = make_scene(drift_seconds=3600)
    scene.start()
    scene.apply(scene.admin_secret(), scene.connection(policies=[policy(scene)]))
    scene.ready("kafkaconnection", "default", "Connected", scene.home)
    topic, user = scene.name("sn"), scene.name("reader")
    scene.declare("AlertTopic", "mine", {"topicName": topic, "partitions": 1})
    scene.declare("AlertTopic", "foreign", {"topicName": f"foreign-{topic}", "partitions": 1})
    scene.declare("KafkaUser", "reader", {"userName": user})
    group = {"name": scene.name("g")}
    entries = {"topics": [{"topicRef": {"name": "mine"}}, {"name": f"foreign-{topic}"}], "group": group}
    scene.declare("KafkaAcl", "reads", {"userRef": {"name": "reader"}, "consumer": entries})
    scene.apply(scene.manifest("AlertTopic", "elsewhere", {"topicName": scene.name("elsewhere")}, scene.home))
    scene.ready("alerttopic", "mine", "Reconciled")
    message = scene.ready("alerttopic", "foreign", "PolicyViolation")
    assert (
        f"topicName: topic foreign-{topic} does not start with what policy tenants of KafkaConnection default allows"
        in message
    )
    message = scene.ready("kafkaacl", "reads", "PolicyViolation")
    assert f"consumer.topics[1]: topic foreign-{topic} does not start with" in message
    assert "has the other 3 permission(s)" in message
    allowed = {
        f"READ TOPIC LITERAL {topic} *",
        f"DESCRIBE TOPIC LITERAL {topic} *",
        f"READ GROUP LITERAL {group['name']} *",
    }
    assert scene.acls(user) == allowed
    message = scene.ready("alerttopic", "elsewhere", "PolicyViolation", scene.home)
    assert f"is for namespace {scene.home}, so nothing may be done there" in message
    assert f"foreign-{topic}" not in scene.admin.list_topics(timeout=10).topics
    wider = policy(scene, topicPrefixes=["{namespace}.", "foreign-{namespace}."])
    govern(scene, wider, {"name": "rest", "namespaces": ["*"], "topicPrefixes": ["*"]})
    scene.ready("alerttopic", "foreign", "Reconciled", timeout=20)
    scene.ready("kafkaacl", "reads", "Reconciled", timeout=20)
    scene.ready("alerttopic", "elsewhere", "Reconciled", scene.home, timeout=20)
    more = {f"READ TOPIC LITERAL foreign-{topic} *", f"DESCRIBE TOPIC LITERAL foreign-{topic} *"}
    assert scene.acls(user) == allowed | more
    # Narrower again: the permissions go, the topic stays, and both can be deleted.
    govern(scene, policy(scene))
    wait_for(lambda: scene.acls(user) == allowed, timeout=20, what="what is no longer allowed is revoked")
    scene.ready("alerttopic", "foreign", "PolicyViolation", timeout=20)
    assert f"foreign-{topic}" in scene.admin.list_topics(timeout=10).topics
    # No policy for the namespace any more: nothing may be done, and no permission is left.
    govern(scene, {"name": "others", "namespaces": ["nobody"]})
    wait_for(lambda: scene.acls(user) == set(), timeout=20, what="the namespace has no permissions any more")
    assert "nothing may be done there" in scene.ready("kafkauser", "reader", "PolicyViolation", timeout=20)
    assert user in scene.users(), "what is there already stays"
    for kind, name in (("kafkaacl", "reads"), ("kafkauser", "reader"), ("alerttopic", "foreign")):
        scene.delete(kind, name)
    assert user not in scene.users()


def test_limits_and_flags(make_scene: MakeScene) -> None:
    scene = make_scene(drift_seconds=3600)
    scene.start()
    limits = {"topics": 1, "partitionsPerTopic": 2, "retentionMs": 60000}
    scene.apply(scene.admin_secret(), scene.connection(policies=[policy(scene, limits=limits)]))
    scene.ready("kafkaconnection", "default", "Connected", scene.home)
    config = {"retention.ms": "60000"}
    topics: dict[str, Callable[[], dict[str, Any]]] = {
        name: lambda name=name: {"topicName": scene.name(name), "partitions": 2, "config": config}  # type: ignore[misc]
        for name in ("first", "second")
    }
    scene.declare(
        "AlertTopic", "wide", {"topicName": scene.name("wide"), "partitions": 3, "config": {"retention.ms": "-1"}}
    )
    message = scene.ready("alerttopic", "wide", "PolicyViolation")
    assert "limits.partitionsPerTopic: with this one it would be 3 partitions" in message
    assert "retention.ms -1 is more than policy tenants of KafkaConnection default allows; set 60000 or less" in message
    scene.declare("AlertTopic", "first", topics["first"]())
    scene.ready("alerttopic", "first", "Reconciled")
    scene.declare("AlertTopic", "second", topics["second"]())
    message = scene.ready("alerttopic", "second", "PolicyViolation")
    assert (
        f"limits.topics: with this one it would be 2 AlertTopics, and policy tenants of KafkaConnection default allows namespace {scene.namespace} 1"
        in message
    )
    scene.delete("alerttopic", "wide")
    scene.delete("alerttopic", "first")
    scene.ready("alerttopic", "second", "Reconciled", timeout=20)
    principal = {"principal": f"User:{scene.name('raw')}", "connectionRef": {"name": "default"}}
    own = {"type": "Topic", "name": scene.name("t")}
    rules = [
        {"name": "whole", "resource": {"type": "Cluster"}, "operations": ["Describe"]},
        {"name": "not", "resource": own, "operations": ["Read"], "permission": "Deny"},
    ]
    scene.declare("KafkaAcl", "raw", {**principal, "rules": rules})
    assert "does not allow raw principals" in scene.ready("kafkaacl", "raw", "PolicyViolation")
    govern(scene, policy(scene, allow={"rawPrincipals": True, "denyRules": True}))
    wait_for(
        lambda: "Cluster" in scene.ready("kafkaacl", "raw", "PolicyViolation"), what="only the Cluster is not allowed"
    )
    assert scene.acls(scene.name("raw")) == {f"READ TOPIC LITERAL {scene.name('t')} *"}
    govern(scene, policy(scene, allow={"rawPrincipals": True, "denyRules": True, "clusterOperations": True}))
    scene.ready("kafkaacl", "raw", "Reconciled", timeout=20)
    assert "DESCRIBE BROKER LITERAL kafka-cluster *" in scene.acls(scene.name("raw"))


def test_a_streams_own_user_and_permissions_pass(make_scene: MakeScene) -> None:
    """They are named after namespace and stream, which no prefix of a policy has to foresee; the stream itself is counted."""
    scene = make_scene(drift_seconds=3600)
    scene.start()
    narrow = {"topicPrefixes": ["{namespace}."], "limits": {"streams": 1, "users": 0}}
    closed = {"name": "tenants", "namespaces": [scene.namespace], **narrow}
    scene.apply(scene.admin_secret(), scene.connection(policies=[closed]))
    scene.declare("AlertTopic", "sn", {"topicName": scene.name("sn")})
    spec = {
        "source": {"parquet": {"claimName": "science"}},
        "checkpoint": {"claimName": "checkpoint"},
        "outputs": [{"name": "sn", "topicRef": {"name": "sn"}}],
    }
    scene.declare("DistributionStream", "ztf", spec)
    wait_for(lambda: scene.exists("kafkaacl", "ztf-stream"), timeout=60, what="the stream has made its children")
    scene.ready("kafkaacl", "ztf-stream", "Reconciled")
    assert f"WRITE TOPIC LITERAL {scene.name('sn')} *" in scene.acls(f"{scene.namespace}.ztf-stream")
    scene.declare("DistributionStream", "lsst", spec)
    assert "limits.streams" in scene.ready("distributionstream", "lsst", "PolicyViolation")
    assert not scene.exists("kafkauser", "lsst-stream")
    scene.declare("KafkaUser", "mine", {"userName": f"{scene.namespace}.mine-stream"})
    assert "userName: user" in scene.ready("kafkauser", "mine", "PolicyViolation")
