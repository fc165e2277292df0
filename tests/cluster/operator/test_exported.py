"""A cluster that was run from a shell moves to Git: exported, accepted by the API server, applied, and nothing changes in Kafka."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka import TopicCollection
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from cluster.operator.logins import can_log_in
from cluster.operator.scene import MakeScene, Scene
from fink_command import Done, fink
from testbed.environment import Environment
from testbed.fixtures import wait_for

LONG = "9223372036854775807"
LITERAL, PREFIXED = ResourcePatternType.LITERAL, ResourcePatternType.PREFIXED
TOPIC, GROUP, CLUSTER = ResourceType.TOPIC, ResourceType.GROUP, ResourceType.BROKER
ALLOW, DENY = AclPermissionType.ALLOW, AclPermissionType.DENY
Operation = AclOperation


@pytest.fixture
def filled(make_scene: MakeScene) -> Scene:
    """A Kafka that people have filled by hand, with what is hard to declare."""
    scene = make_scene()
    topics = {
        scene.name("fink_all_ztf"): {"retention.ms": "604800000", "cleanup.policy": "compact,delete"},
        scene.name("Fink-all-ztf"): {},
        scene.name("1e3"): {"segment.ms": "600000"},
        scene.name("odd"): {"flush.messages": LONG, "min.insync.replicas": "2"},
    }
    made = scene.admin.create_topics([NewTopic(name, 2, 1, config=config) for name, config in topics.items()])
    for future in made.values():
        future.result()
    wait_for(lambda: scene.topics().keys() == topics.keys(), what="the topics are there")
    mechanisms = (ScramMechanism.SCRAM_SHA_512, ScramMechanism.SCRAM_SHA_256)
    for name, mechanism in zip((scene.name("Alice"), scene.name("bob_x")), mechanisms, strict=True):
        written = UserScramCredentialUpsertion(name, ScramCredentialInfo(mechanism, 8192), b"known to clients")
        scene.admin.alter_user_scram_credentials([written])[name].result()
    for future in scene.admin.create_acls([AclBinding(*words) for words in permissions(scene)]).values():
        future.result()
    # A broker shows what the controller has written a moment later.
    users = {scene.name("Alice"), scene.name("bob_x")}
    wait_for(lambda: scene.users() == users, what="the users are there")
    seen = (*users, scene.name("CN=x"))
    wanted = len(permissions(scene))
    wait_for(lambda: sum(len(scene.acls(user)) for user in seen) == wanted, what="the permissions are there")
    return scene


def permissions(scene: Scene) -> list[tuple[Any, ...]]:
    """Return what kafka-acls.sh has given: a consumer, a producer, and much that is neither."""
    ztf, alice, bob = scene.name("fink_all_ztf"), f"User:{scene.name('Alice')}", f"User:{scene.name('bob_x')}"
    return [
        *((TOPIC, ztf, LITERAL, alice, "*", each, ALLOW) for each in (Operation.READ, Operation.DESCRIBE)),
        (GROUP, scene.name("alice-"), PREFIXED, alice, "*", Operation.READ, ALLOW),
        (GROUP, "another group", LITERAL, alice, "*", Operation.READ, ALLOW),
        (GROUP, "another group", LITERAL, alice, "10.0.0.1", Operation.READ, ALLOW),
        (CLUSTER, "kafka-cluster", LITERAL, alice, "*", Operation.IDEMPOTENT_WRITE, ALLOW),
        (TOPIC, ztf, LITERAL, alice, "*", Operation.ALTER, DENY),
        *(
            (TOPIC, scene.name(""), PREFIXED, bob, "::1", each, ALLOW)
            for each in (Operation.WRITE, Operation.DESCRIBE, Operation.CREATE)
        ),
        (TOPIC, "*", LITERAL, bob, "*", Operation.DESCRIBE_CONFIGS, ALLOW),
        (TOPIC, ztf, LITERAL, f"User:{scene.name('CN=x')}", "*", Operation.READ, ALLOW),
    ]


def export(scene: Scene, testbed: Environment, *more: str) -> Done:
    """Export what is the scene's."""
    globs = ("--topics", f"{scene.namespace}.*", "--users", f"{scene.namespace}.*")
    done = fink("export", *globs, "--namespace", scene.namespace, *more, config=testbed.kafka_admin_config)
    assert done.status == 0, done.err
    return done


def everything(scene: Scene) -> dict[str, object]:
    """All that Kafka has of the scene's."""
    described = scene.admin.describe_topics(TopicCollection(sorted(scene.topics())))
    users = {name: scene.admin.describe_user_scram_credentials([name])[name].result() for name in scene.users()}
    return {
        "topics": scene.topics(),
        "ids": {name: str(future.result().topic_id) for name, future in described.items()},
        "config": {name: scene.topic_config(name) for name in scene.topics()},
        "users": {
            name: [(info.mechanism, info.iterations) for info in user.scram_credential_infos]
            for name, user in users.items()
        },
        "acls": {name: scene.acls(name) for name in (*users, scene.name("CN=x"))},
    }


def test_every_exported_manifest_is_accepted_and_there_is_nothing_to_do(filled: Scene, testbed: Environment) -> None:
    done = export(filled, testbed)
    manifests = [each for each in yaml.safe_load_all(done.out) if each]
    assert sorted(each["kind"] for each in manifests) == [
        *["AlertTopic"] * 4,
        *["KafkaAcl"] * 4,
        *["KafkaUser"] * 2,
    ]
    answer = filled.kubectl("apply", "--validate=strict", "--dry-run=server", "-f", "-", stdin=done.out)
    assert answer.count("(server dry run)") == len(manifests)
    planned = fink("plan", "-f", "-", config=testbed.kafka_admin_config, stdin=done.out)
    assert (planned.status, planned.out.strip()) == (0, f"Nothing to do: {len(manifests)} as declared.")
    assert export(filled, testbed).out == done.out


def test_what_cannot_be_declared_is_named_on_stderr_and_in_the_first_comment(
    filled: Scene, testbed: Environment
) -> None:
    done = export(filled, testbed)
    ztf = filled.name("fink_all_ztf")
    for line in (
        f"permission of User:{filled.name('CN=x')}: Read on Topic {ztf} from *",
        f"topic {filled.name('odd')}: flush.messages {LONG}",
        f"topic {filled.name('odd')}: min.insync.replicas 2",
    ):
        assert f"not exported: {line}" in done.err
        assert f"# - {line}" in done.out


def test_applying_the_export_changes_nothing_in_kafka_and_the_topics_follow_git_from_then_on(
    filled: Scene, testbed: Environment, tmp_path: Path
) -> None:
    before = everything(filled)
    export(filled, testbed, "-d", str(tmp_path))
    filled.start()
    filled.apply(filled.admin_secret(), filled.connection())
    filled.ready("kafkaconnection", "default", "Connected", filled.home)
    filled.kubectl("apply", "-R", *(f"-f={tmp_path / kind}" for kind in ("topics", "users", "acls")))
    topics = filled.kubectl("get", "alerttopic", "-n", filled.namespace, "-o", "name").split()
    for topic in topics:
        filled.ready("alerttopic", topic.partition("/")[2], "Reconciled")
    wait_for(
        lambda: all(
            filled.status("kafkauser", user.partition("/")[2]).get("observedGeneration") == 1
            for user in filled.kubectl("get", "kafkauser", "-n", filled.namespace, "-o", "name").split()
        ),
        what="the users were looked at",
    )
    assert {filled.status("alerttopic", topic.partition("/")[2])["ownership"] for topic in topics} == {"Adopted"}
    for user in filled.kubectl("get", "kafkauser", "-n", filled.namespace, "-o", "name").split():
        filled.ready("kafkauser", user.partition("/")[2], "Observed")
    for acl in filled.kubectl("get", "kafkaacl", "-n", filled.namespace, "-o", "name").split():
        filled.ready("kafkaacl", acl.partition("/")[2], "Reconciled")
    assert everything(filled) == before
    login = {
        "bootstrap.servers": filled.admin_config["bootstrap.servers"],
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "username": filled.name("Alice"),
        "password": "known to clients",
    }
    assert can_log_in(login)
    # In Git somebody takes a key out and adds partitions.
    file = next(file for file in (tmp_path / "topics").iterdir() if file.stem.endswith("1e3"))
    topic = yaml.safe_load(file.read_text())
    del topic["spec"]["config"]
    topic["spec"]["partitions"] = 3
    file.write_text(yaml.safe_dump(topic))
    live = tmp_path / "live.yaml"
    live.write_text(filled.kubectl("get", "fink", "-n", filled.namespace, "-o", "yaml"))
    arguments = ("-f", str(tmp_path / "topics"), "--applied", str(live))
    planned = fink(
        "plan",
        *arguments,
        "-f",
        str(tmp_path / "users"),
        "-f",
        str(tmp_path / "acls"),
        config=testbed.kafka_admin_config,
    )
    assert planned.status == 2, planned.err
    assert "  ~ partitions: 2 -> 3\n  - config.segment.ms: 600000\n" in planned.out
    filled.kubectl("apply", "-f", str(file))
    name = filled.name("1e3")
    wait_for(lambda: (filled.topics()[name], filled.topic_config(name)) == (3, {}), what="Kafka is as Git says")


def test_a_folder_is_written_once_and_replaced_only_when_asked(
    filled: Scene, testbed: Environment, tmp_path: Path
) -> None:
    export(filled, testbed, "-d", str(tmp_path))
    written = {file.relative_to(tmp_path): file.read_text() for file in tmp_path.rglob("*.yaml")}
    export(filled, testbed, "-d", str(tmp_path))
    file = tmp_path / next(path for path in written if path.parent.name == "topics")
    file.write_text("# edited\n")
    refused = fink(
        "export", "--topics", f"{filled.namespace}.*", "-d", str(tmp_path), config=testbed.kafka_admin_config
    )
    assert refused.status == 1
    assert "there with another content. Nothing was written. --overwrite replaces it." in refused.err
    assert file.read_text() == "# edited\n"
    export(filled, testbed, "-d", str(tmp_path), "--overwrite")
    assert {path: (tmp_path / path).read_text() for path in written} == written
