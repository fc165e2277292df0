"""KafkaAcl: types, Deny, principals, other namespaces' topics, and modes, as Kafka has them in the end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from cluster.operator.scene import Scene
from kafka_tools import KafkaTools
from testbed.environment import Environment
from testbed.fixtures import wait_for

CRD = Path(__file__).parents[3] / "crds" / "kafkaacls.yaml"


@pytest.fixture(scope="session")
def tools(testbed: Environment) -> KafkaTools:
    """Kafka's own tools."""
    return KafkaTools.of(testbed)


def raw(principal: str, **more: Any) -> dict[str, Any]:
    """A spec for a principal."""
    return {"principal": f"User:{principal}", "connectionRef": {"name": "default"}, **more}


def rule(name: str, resource: Mapping[str, Any], *operations: str, **more: str) -> dict[str, Any]:
    """A rule."""
    return {"name": name, "resource": dict(resource), "operations": list(operations), **more}


def camel(name: str) -> str:
    return "".join(word.title() for word in name.split("_"))


def test_the_legal_operations_are_those_of_the_broker(tools: KafkaTools) -> None:
    """kafka-acls names them when it is given another; it asks the broker's own AclEntry.supportedOperations."""
    flags = {"Topic": "--topic", "Group": "--group", "TransactionalId": "--transactional-id"}
    flags |= {"DelegationToken": "--delegation-token", "User": "--user-principal"}
    (version,) = yaml.safe_load(CRD.read_text())["spec"]["versions"]
    spec = version["schema"]["openAPIV3Schema"]["properties"]["spec"]["properties"]
    messages = [each["message"] for each in spec["rules"]["items"]["x-kubernetes-validations"]]
    for kind, flag in {**flags, "Cluster": "--cluster"}.items():
        wrong = "CreateTokens" if kind != "User" else "Read"
        arguments = ("--add", "--allow-principal", "User:nobody", "--operation", wrong, flag)
        printed = tools.acls(*arguments, *(["User:x"] if kind != "Cluster" else []))
        listed = printed.split("only supports operations [")[1].split("]")[0]
        said = next(each for each in messages if f" a {kind} are: " in each or f" the {kind} are: " in each)
        ours = said.split("are: ")[1].replace(", or All", ", All").split(", ")
        assert {camel(name) for name in listed.split(", ")} == set(ours), kind


def test_consumer_and_producer_are_what_kafkas_own_tool_makes_of_them(scene: Scene, tools: KafkaTools) -> None:
    topic, group = scene.name("alerts"), scene.name("group")
    theirs = {name: scene.name(f"{name}-by-tool") for name in ("consumer", "producer", "both")}
    consumer, producer = ["--consumer", "--group", group], ["--producer", "--transactional-id", group, "--idempotent"]
    for name, words in {"consumer": consumer, "producer": ["--producer"]}.items():
        tools.acls("--add", "--allow-principal", f"User:{theirs[name]}", "--topic", topic, *words)
    allow_both = ("--add", "--allow-principal", f"User:{theirs['both']}", "--topic", topic, "--allow-host", "192.0.2.7")
    tools.acls(*allow_both, "--resource-pattern-type", "prefixed", *consumer)
    tools.acls(*allow_both, "--resource-pattern-type", "prefixed", *producer)
    named, prefix = {"name": topic}, {"name": topic, "patternType": "Prefixed"}
    groups = {"name": group, "patternType": "Prefixed"}
    whole = rule("idempotent", {"type": "Cluster"}, "IdempotentWrite", host="192.0.2.7")
    specs: dict[str, dict[str, Any]] = {
        "consumer": {"consumer": {"topics": [named], "group": {"name": group}}},
        "producer": {"producer": {"topics": [named]}},
        "both": {
            "host": "192.0.2.7",
            "consumer": {"topics": [prefix], "group": groups},
            "producer": {"topics": [prefix], "transactionalId": groups},
            "rules": [whole],
        },
    }
    scene.apply(*(scene.manifest("KafkaAcl", name, raw(scene.name(name), **spec)) for name, spec in specs.items()))
    for name in specs:
        scene.ready("kafkaacl", name, "Reconciled")
        expected = tools.listing(theirs[name])
        assert expected
        assert tools.listing(scene.name(name)) == expected


def test_every_type_and_deny_and_what_others_made_of_them(scene: Scene, tools: KafkaTools) -> None:
    user, foreign = scene.name("user"), scene.name("foreign")
    # What librdkafka does not know must not disturb, whoever made it.
    for words in (
        ["--user-principal", "User:x", "--operation", "CreateTokens"],
        ["--delegation-token", "t", "--operation", "Describe"],
    ):
        tools.acls("--add", "--allow-principal", f"User:{foreign}", *words)
    tools.acls(
        "--add", "--allow-principal", f"User:{user}", "--operation", "TwoPhaseCommit", "--transactional-id", "by-hand"
    )
    theirs = tools.listing(foreign)
    assert len(theirs) == 2
    rules = [
        rule("topic", {"type": "Topic", "name": scene.name("t"), "patternType": "Prefixed"}, "All"),
        rule("not-this", {"type": "Topic", "name": scene.name("t2")}, "Read", permission="Deny"),
        rule("transactional-id", {"type": "TransactionalId", "name": scene.name("i")}, "Write", "TwoPhaseCommit"),
        rule("token", {"type": "DelegationToken", "name": "*"}, "Describe"),
        rule("user", {"type": "User", "name": "User:x"}, "CreateTokens", "DescribeTokens", host="192.0.2.7"),
        rule("not-token", {"type": "User", "name": "User:y", "patternType": "Prefixed"}, "All", permission="Deny"),
    ]
    scene.declare("KafkaAcl", "all", raw(user, rules=rules))
    scene.ready("kafkaacl", "all", "Reconciled")
    ours = {
        f"TOPIC {scene.name('t')} PREFIXED ALL ALLOW *",
        f"TOPIC {scene.name('t2')} LITERAL READ DENY *",
        f"TRANSACTIONAL_ID {scene.name('i')} LITERAL WRITE ALLOW *",
        f"TRANSACTIONAL_ID {scene.name('i')} LITERAL TWO_PHASE_COMMIT ALLOW *",
        "DELEGATION_TOKEN * LITERAL DESCRIBE ALLOW *",
        "USER User:x LITERAL CREATE_TOKENS ALLOW 192.0.2.7",
        "USER User:x LITERAL DESCRIBE_TOKENS ALLOW 192.0.2.7",
        "USER User:y PREFIXED ALL DENY *",
    }
    by_hand = {"TRANSACTIONAL_ID by-hand LITERAL TWO_PHASE_COMMIT ALLOW *"}
    assert tools.listing(user) == ours | by_hand
    # A Deny and an Allow of the same are two bindings: the plan tells them apart. What went by hand comes back.
    rules[1] = rule("not-this", {"type": "Topic", "name": scene.name("t2")}, "Read")
    scene.declare("KafkaAcl", "all", raw(user, rules=rules))
    changed = {each.replace("READ DENY", "READ ALLOW") for each in ours} | by_hand
    wait_for(lambda: tools.listing(user) == changed, what="the Deny has become an Allow")
    tools.acls(
        "--remove", "--force", "--allow-principal", f"User:{user}", "--operation", "Describe", "--delegation-token", "*"
    )
    wait_for(lambda: tools.listing(user) == changed, what="the token's binding is there again")
    scene.delete("kafkaacl", "all")
    assert (tools.listing(user), tools.listing(foreign)) == (by_hand, theirs)


def test_grants_come_before_revokes(scene: Scene, tools: KafkaTools) -> None:
    """The controller's own log has the order: with it the other way round, a client would lose what it keeps in between."""
    old, new = scene.name("old"), scene.name("new")
    topic = {"type": "Topic", "name": old}
    scene.declare("KafkaAcl", "moves", raw(scene.name("user"), rules=[rule("r", topic, "Read", "Describe", "Write")]))
    scene.ready("kafkaacl", "moves", "Reconciled")
    scene.declare(
        "KafkaAcl", "moves", raw(scene.name("user"), rules=[rule("r", {**topic, "name": new}, "Read", "Describe")])
    )
    wait_for(
        lambda: not [each for each in scene.acls(scene.name("user")) if old in each], what="the old bindings are gone"
    )
    ids, order = {}, []
    for record in tools.metadata_records():
        if record["type"] == "ACCESS_CONTROL_ENTRY_RECORD" and record["data"]["resourceName"] in (old, new):
            ids[record["data"]["id"]] = record["data"]["resourceName"]
            order.append(f"make {record['data']['resourceName']}")
        elif record["type"] == "REMOVE_ACCESS_CONTROL_ENTRY_RECORD" and record["data"]["id"] in ids:
            order.append(f"remove {ids[record['data']['id']]}")
    assert order == [f"make {old}"] * 3 + [f"make {new}"] * 2 + [f"remove {old}"] * 3


def test_a_principal_and_a_user_share_what_both_declare(scene: Scene) -> None:
    user = scene.name("reader")
    rules = [rule("r", {"type": "Topic", "name": scene.name("t")}, "Read")]
    scene.declare("KafkaUser", "reader", {"userName": user})
    scene.declare("KafkaAcl", "by-user", {"userRef": {"name": "reader"}, "rules": rules})
    scene.ready("kafkaacl", "by-user", "Reconciled")
    scene.declare("KafkaAcl", "by-principal", raw(user, rules=rules))
    scene.ready("kafkaacl", "by-principal", "Reconciled")
    granted = {f"READ TOPIC LITERAL {scene.name('t')} *"}
    scene.delete("kafkaacl", "by-user")
    assert scene.acls(user) == granted
    scene.delete("kafkaacl", "by-principal")
    assert scene.acls(user) == set()


def test_a_topic_of_another_namespace_needs_its_consent_and_loses_it(scene: Scene) -> None:
    topic, user = scene.name("alerts"), scene.name("reader")
    theirs = scene.manifest("AlertTopic", "alerts", {"topicName": topic}, scene.home)
    ref = {"topicRef": {"name": "alerts", "namespace": scene.home}}
    own = rule("own", {"type": "Topic", "name": scene.name("own")}, "Read")
    scene.declare("KafkaUser", "reader", {"userName": user})
    reads = {
        "userRef": {"name": "reader"},
        "consumer": {"topics": [ref], "group": {"name": scene.name("g")}},
        "rules": [own],
    }
    scene.declare("KafkaAcl", "reads", reads)
    assert "AlertTopic" in scene.ready("kafkaacl", "reads", "DependencyNotReady")
    rest = {f"READ TOPIC LITERAL {scene.name('own')} *", f"READ GROUP LITERAL {scene.name('g')} *"}
    scene.apply(theirs)
    message = scene.ready("kafkaacl", "reads", "GrantMissing")
    assert f"{scene.home}/alerts does not grant namespace {scene.namespace} Read, Describe" in message
    assert f"{{namespace: {scene.namespace}, operations: [Consume]}}" in message
    assert "has the other 2 permission(s)" in message
    assert scene.acls(user) == rest
    granted = {**theirs["spec"], "grants": [{"namespace": scene.namespace, "operations": ["Consume"]}]}
    scene.apply({**theirs, "spec": granted})
    scene.ready("kafkaacl", "reads", "Reconciled", timeout=10)
    consumes = {f"READ TOPIC LITERAL {topic} *", f"DESCRIBE TOPIC LITERAL {topic} *"}
    assert scene.acls(user) == rest | consumes
    # Consent to read is none to write.
    writes = {**reads, "producer": {"topics": [ref]}}
    scene.declare("KafkaAcl", "reads", writes)
    assert "Write, Create" in scene.ready("kafkaacl", "reads", "GrantMissing")
    assert scene.acls(user) == rest | consumes
    scene.apply(theirs)
    wait_for(lambda: scene.acls(user) == rest, timeout=10, what="the grant is withdrawn, and the permissions with it")
    # The resource that consented is gone: so is the consent, though the topic itself stays.
    scene.declare("KafkaAcl", "reads", reads)
    scene.apply({**theirs, "spec": granted})
    scene.ready("kafkaacl", "reads", "Reconciled", timeout=10)
    scene.kubectl("delete", "alerttopic", "alerts", "-n", scene.home, "--timeout=30s")
    assert "does not exist" in scene.ready("kafkaacl", "reads", "DependencyNotReady", timeout=10)
    assert scene.acls(user) == rest
    assert topic in scene.topics()


def test_plan_and_observe_change_nothing(scene: Scene) -> None:
    user, topic = scene.name("reader"), scene.name("t")
    read = rule("r", {"type": "Topic", "name": topic}, "Read")
    deny = rule("d", {"type": "Topic", "name": topic}, "Write", permission="Deny")
    scene.declare("KafkaAcl", "plans", raw(user, mode="Plan", rules=[read, deny]))
    assert "would make 2 change(s)" in scene.ready("kafkaacl", "plans", "ChangesPlanned")
    status = scene.status("kafkaacl", "plans")
    assert status["plan"] == [f"grant Read on Topic {topic} from *", f"deny Write on Topic {topic} from *"]
    assert scene.acls(user) == set()
    scene.declare("KafkaAcl", "plans", raw(user, rules=[read]))
    scene.ready("kafkaacl", "plans", "Reconciled")
    granted = {f"READ TOPIC LITERAL {topic} *"}
    assert scene.acls(user) == granted
    assert "plan" not in scene.status("kafkaacl", "plans")
    scene.declare("KafkaAcl", "plans", raw(user, mode="Plan", rules=[deny]))
    scene.ready("kafkaacl", "plans", "ChangesPlanned")
    status = scene.status("kafkaacl", "plans")
    assert status["plan"] == [f"deny Write on Topic {topic} from *", f"revoke Read on Topic {topic} from *"]
    assert len(status["bindings"]) == 1, "what is ours stays recorded"
    scene.declare("KafkaAcl", "plans", raw(user, mode="Plan", rules=[read]))
    scene.ready("kafkaacl", "plans", "InSync")
    scene.declare("KafkaAcl", "plans", raw(user, mode="Observe", rules=[deny]))
    scene.ready("kafkaacl", "plans", "Observed")
    assert "plan" not in scene.status("kafkaacl", "plans")
    scene.delete("kafkaacl", "plans")
    assert scene.acls(user) == granted


def test_the_ledger_stays_within_its_bounds(scene: Scene) -> None:
    """Half-done changes may leave more in the ledger than a spec can declare; then there is room made first."""
    user = scene.name("many")
    scene.declare("KafkaAcl", "many", raw(user, rules=[rule("r", {"type": "Topic", "name": scene.name("t")}, "Read")]))
    scene.ready("kafkaacl", "many", "Reconciled")
    scene.stop()
    full = [
        {
            "resourceType": "Topic",
            "resourceName": f"{user}-{n}",
            "patternType": "Literal",
            "operation": "Read",
            "host": "*",
        }
        for n in range(2000)
    ]
    patch = json.dumps({"status": {"bindings": full, "bindingCount": 2000}})
    words = ("patch", "kacl", "many", "-n", scene.namespace, "--subresource=status", "--type=merge")
    scene.kubectl(*words, "--patch-file=/dev/stdin", stdin=patch)
    scene.declare(
        "KafkaAcl", "many", raw(user, rules=[rule("r", {"type": "Topic", "name": scene.name("new")}, "Read")])
    )
    scene.start()
    scene.ready("kafkaacl", "many", "Reconciled")
    assert [each["resourceName"] for each in scene.status("kafkaacl", "many")["bindings"]] == [scene.name("new")]
