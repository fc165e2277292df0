"""`fink plan` against a real Kafka: what it shows, what it refuses, how it ends."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from kafka.admin import ACL, ACLOperation, ACLPermissionType, KafkaAdminClient, ResourcePattern
from kafka.admin import ResourceType as KafkaResourceType

from fink_command import Done, fink
from testbed.environment import Environment, properties
from testbed.fixtures import wait_for

Plan = Callable[..., Done]
API_VERSION = "distribution.fink-broker.org/v1alpha1"


@pytest.fixture
def prefix() -> str:
    """What begins the names of one test in Kafka."""
    return f"p{secrets.token_hex(4)}-"


@pytest.fixture
def plan(testbed: Environment) -> Plan:
    """Run `fink plan` for manifests."""

    def run(*manifests: dict[str, Any], arguments: tuple[str, ...] = ()) -> Done:
        return fink(
            "plan", "-f", "-", *arguments, config=testbed.kafka_admin_config, stdin=yaml.safe_dump_all(manifests)
        )

    return run


def manifest(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": {"name": name}, "spec": spec}


def make_topic(admin: AdminClient, name: str, partitions: int = 2, **config: str) -> None:
    topic = NewTopic(name, partitions, 1, config={key.replace("_", "."): value for key, value in config.items()})
    admin.create_topics([topic])[name].result(10)
    wait_for(lambda: name in admin.list_topics(timeout=10).topics, what=f"{name} is there")


def make_user(admin: AdminClient, name: str) -> None:
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    admin.alter_user_scram_credentials([UserScramCredentialUpsertion(name, info, b"word")])[name].result(10)


def allow(admin: AdminClient, user: str, topic: str, operation: AclOperation) -> None:
    binding = AclBinding(
        ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, f"User:{user}", "*", operation, AclPermissionType.ALLOW
    )
    admin.create_acls([binding])[binding].result(10)


def changes(done: Done) -> dict[str, list[str]]:
    """What would change, by the resource's name."""
    found = json.loads(done.out)["resources"]
    return {each["name"]: [change["text"] for change in each["changes"]] for each in found}


def test_what_is_not_there_would_be_made(plan: Plan, prefix: str) -> None:
    done = plan(
        manifest("KafkaAcl", f"{prefix}r", userRef={"name": f"{prefix}r"}, consumer=consumer(f"{prefix}t")),
        manifest("KafkaUser", f"{prefix}r"),
        manifest("AlertTopic", f"{prefix}t", partitions=3, config={"retention.ms": "1000"}),
    )
    assert done.status == 2, done.err
    assert done.out.splitlines() == [
        f"AlertTopic default/{prefix}t: topic {prefix}t  [<stdin>, document 3]",
        "  + partitions: 3",
        "  + replicationFactor: the broker's default",
        "  + config.retention.ms: 1000",
        "",
        f"KafkaUser default/{prefix}r: user {prefix}r  [<stdin>, document 2]",
        "  + SCRAM-SHA-512: 4096 iterations",
        "",
        f"KafkaAcl default/{prefix}r: permissions of User:{prefix}r  [<stdin>, document 1]",
        "  + binding: Read on Group g from *",
        f"  + binding: Describe on Topic {prefix}t from *",
        f"  + binding: Read on Topic {prefix}t from *",
        "",
        "Plan: 3 to create, 0 as declared.",
    ]


def consumer(topic: str) -> dict[str, Any]:
    return {"topics": [{"topicRef": {"name": topic}}], "group": {"name": "g"}}


def test_what_differs_is_shown_before_and_after(plan: Plan, kafka_admin: AdminClient, prefix: str) -> None:
    name = f"{prefix}t"
    make_topic(kafka_admin, name, retention_ms="1000", segment_ms="7000")
    declared = manifest("AlertTopic", name, partitions=5, config={"retention.ms": "2000", "cleanup.policy": "compact"})
    done = plan(declared)
    assert done.status == 2
    for line in (
        "  ~ partitions: 2 -> 5",
        "  + config.cleanup.policy: compact",
        "  ~ config.retention.ms: 1000 -> 2000",
    ):
        assert line in done.out.splitlines()
    assert "segment.ms" not in done.out, "what nobody declares is left alone"
    (resource,) = json.loads(plan(declared, arguments=("-o", "json")).out)["resources"]
    assert resource["action"] == "change"
    assert resource["changes"][0] == {
        "text": f"topic {name}: partitions 2 -> 5",
        "fields": [{"field": "partitions", "before": "2", "after": "5"}],
    }


def test_nothing_to_do_is_said_and_ends_with_0(plan: Plan, kafka_admin: AdminClient, prefix: str) -> None:
    make_topic(kafka_admin, f"{prefix}t")
    make_user(kafka_admin, f"{prefix}r")
    declared = (manifest("AlertTopic", f"{prefix}t", partitions=2), manifest("KafkaUser", f"{prefix}r"))
    done = plan(*declared)
    assert done.status == 0
    assert "Nothing to do: 2 as declared." in done.out
    assert "2 topic(s) or user(s) exist and are taken as these manifests' own" in done.out
    first = plan(*declared, arguments=("--first-apply",))
    assert first.status == 1
    assert first.out.count("! Conflict: ") == 2
    assert "Set adoptionPolicy: Adopt" in first.out


def test_what_kafka_cannot_do_is_an_error_and_the_rest_is_shown(
    plan: Plan, kafka_admin: AdminClient, prefix: str
) -> None:
    make_topic(kafka_admin, f"{prefix}t", partitions=3)
    done = plan(manifest("AlertTopic", f"{prefix}t", partitions=1, config={"retention.ms": "5"}))
    assert done.status == 1
    assert "  + config.retention.ms: 5" in done.out
    assert "! PartitionsCannotShrink: partitions: 1 is fewer than the 3" in done.out


def test_what_was_applied_before_says_what_goes(
    testbed: Environment, kafka_admin: AdminClient, prefix: str, tmp_path: Path
) -> None:
    topic, user = f"{prefix}t", f"{prefix}r"
    make_topic(kafka_admin, topic, retention_ms="1000", segment_ms="7000")
    make_topic(kafka_admin, f"{prefix}kept")
    make_user(kafka_admin, user)
    allow(kafka_admin, user, topic, AclOperation.READ)
    allow(kafka_admin, user, topic, AclOperation.ALTER)
    rule = {"name": "t", "resource": {"type": "Topic", "name": topic}, "operations": ["Read"]}
    before = [
        manifest("AlertTopic", topic, config={"retention.ms": "1000"}),
        manifest("AlertTopic", f"{prefix}kept"),
        manifest("KafkaUser", user),
        manifest("KafkaAcl", user, userRef={"name": user}, rules=[rule]),
    ]
    (tmp_path / "before").mkdir()
    (tmp_path / "before" / "all.yaml").write_text(yaml.safe_dump_all(before))
    after = tmp_path / "after.yaml"
    after.write_text(yaml.safe_dump(manifest("AlertTopic", topic)))
    arguments = ("-f", str(after), "--applied", str(tmp_path / "before"), "-o", "json")
    done = fink("plan", *arguments, config=testbed.kafka_admin_config)
    assert done.status == 2, done.err
    assert {name: texts for name, texts in changes(done).items() if name != user} == {
        topic: [f"topic {topic}: retention.ms to the broker's default"],
        f"{prefix}kept": [],  # deletionPolicy: Retain
    }
    texts = [change["text"] for each in json.loads(done.out)["resources"] for change in each["changes"]]
    assert texts == [
        f"topic {topic}: retention.ms to the broker's default",
        f"user {user}: remove the SCRAM-SHA-512 credential",
        f"revoke Read on Topic {topic} from *",
    ]


def test_a_mode_that_changes_nothing_does_not_count_as_a_change(plan: Plan, prefix: str) -> None:
    done = plan(
        manifest("AlertTopic", f"{prefix}t", mode="Plan"),
        manifest("AlertTopic", f"{prefix}o", mode="Observe"),
    )
    assert done.status == 0
    assert "shown only (mode: Plan)" in done.out
    assert "Observe" not in done.out


def test_a_login_that_is_refused_says_where_to_correct_it(testbed: Environment, tmp_path: Path) -> None:
    admin = properties(testbed.kafka_admin_config)
    file = tmp_path / "wrong.properties"
    file.write_text(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-512\n"
        "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\\n"
        f'  username="{admin["sasl.username"]}" password="quite-wrong";\n'
    )
    manifests = tmp_path / "topic.yaml"
    manifests.write_text(yaml.safe_dump(manifest("AlertTopic", "t")))
    servers = admin["bootstrap.servers"]
    done = fink("plan", "-f", str(manifests), "--command-config", str(file), "--bootstrap-server", servers)
    assert done.status == 1
    assert f"{servers} refused the login of {admin['sasl.username']}. Correct user name" in done.err
    assert str(file) in done.err
    assert "quite-wrong" not in done.out + done.err


def test_javas_properties_reach_kafka_as_librdkafkas_do(testbed: Environment, tmp_path: Path) -> None:
    admin = properties(testbed.kafka_admin_config)
    file = tmp_path / "client.properties"
    file.write_text(
        f"bootstrap.servers={admin['bootstrap.servers']}\nsecurity.protocol=SASL_PLAINTEXT\nsasl.mechanism=SCRAM-SHA-512\n"
        "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required "
        f'username="{admin["sasl.username"]}" password="{admin["sasl.password"]}";\n'
    )
    done = fink("export", "--topics", "none-of-this-name", config=file)
    assert done.status == 0, done.err
    assert "Made by fink export from the Kafka cluster" in done.out


def test_no_answer_is_told_from_no_changes(tmp_path: Path) -> None:
    manifests = tmp_path / "topic.yaml"
    manifests.write_text(yaml.safe_dump(manifest("AlertTopic", "t")))
    arguments = ("plan", "-f", str(manifests), "--bootstrap-server", "127.0.0.1:1", "--timeout", "3")
    done = fink(*arguments)
    assert done.status == 1
    assert "No answer from 127.0.0.1:1. Check the address" in done.err
    assert "asking 127.0.0.1:1 what there is ..." in done.err, "it takes over two seconds, so it says what it does"


def test_describing_is_all_that_is_asked_of_kafka(
    testbed: Environment, kafka_admin: AdminClient, prefix: str, tmp_path: Path
) -> None:
    looker = f"{prefix}looker"
    make_topic(kafka_admin, f"{prefix}t")
    make_user(kafka_admin, looker)
    allow(kafka_admin, looker, "*", AclOperation.DESCRIBE)
    file = tmp_path / "looker.properties"
    login = properties(testbed.kafka_admin_config) | {"sasl.username": looker, "sasl.password": "word"}
    file.write_text("".join(f"{key}={value}\n" for key, value in login.items()))
    export = ("export", "--topics", f"{prefix}*")
    refused = fink(*export, config=file)
    assert refused.status == 1
    assert f"Kafka does not allow {looker} this: " in refused.err
    assert "It needs Describe and DescribeConfigs on the Cluster and on all topics" in refused.err
    # An empty answer is not taken for a Kafka without permissions.
    rule = {"name": "read", "resource": {"type": "Topic", "name": f"{prefix}t"}, "operations": ["Read"]}
    declared = manifest("KafkaAcl", "reader", principal=f"User:{prefix}reader", rules=[rule])
    refused = fink("plan", "-f", "-", config=file, stdin=yaml.safe_dump(declared))
    assert refused.status == 1
    assert f"Kafka does not allow {looker} this: " in refused.out + refused.err
    allow(kafka_admin, looker, "*", AclOperation.DESCRIBE_CONFIGS)
    cluster = (ResourceType.BROKER, "kafka-cluster", ResourcePatternType.LITERAL, f"User:{looker}", "*")
    for operation in (AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS):
        binding = AclBinding(*cluster, operation, AclPermissionType.ALLOW)
        kafka_admin.create_acls([binding])[binding].result(10)
    done = fink(*export, config=file)
    assert done.status == 0, done.err
    planned = fink("plan", "-f", "-", config=file, stdin=done.out)
    assert (planned.status, planned.out) == (0, "Nothing to do: 1 as declared.\n")


def test_a_permission_that_the_client_library_does_not_know_is_named(
    testbed: Environment, kafka_admin: AdminClient, prefix: str
) -> None:
    make_user(kafka_admin, f"{prefix}u")
    admin = properties(testbed.kafka_admin_config)
    client = KafkaAdminClient(
        bootstrap_servers=admin["bootstrap.servers"],
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username=admin["sasl.username"],
        sasl_plain_password=admin["sasl.password"],
    )
    token = ResourcePattern(KafkaResourceType.DELEGATION_TOKEN, f"{prefix}token")
    words = {"operation": ACLOperation.DESCRIBE, "permission_type": ACLPermissionType.ALLOW, "host": "*"}
    client.create_acls([ACL(principal=f"User:{prefix}u", resource_pattern=token, **words)])
    client.close()
    done = fink("export", "--users", f"{prefix}*", config=testbed.kafka_admin_config)
    assert done.status == 0, done.err
    assert f"{prefix}token" in done.out
