"""What a Kafka has, as manifests: only what can be declared, and the rest by name."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from fink_distribution.manifests.exporting import Export, Target, export
from fink_distribution.manifests.inventory import ForeignAcl, Inventory
from fink_distribution.manifests.writing import files, stream, write
from fink_distribution.plans.topics import ObservedTopic
from fink_distribution.plans.users import ObservedUser
from fink_distribution.resources.kafka_acl import Binding

SHA512, SHA256 = "SCRAM-SHA-512", "SCRAM-SHA-256"


def topics(**config: str) -> Inventory:
    observed = ObservedTopic("a_b", "id", 3, 2, {key.replace("_", "."): value for key, value in config.items()})
    internal = ObservedTopic("__consumer_offsets", "id", 50, 1)
    return Inventory({"a_b": observed, "__consumer_offsets": internal}, {}, {})


def users(**users: ObservedUser) -> Inventory:
    return Inventory({}, {name.replace("_", " "): user for name, user in users.items()}, {})


def specs(found: Export) -> list[object]:
    return [manifest["spec"] for manifest in found.manifests]


def test_a_topic_is_declared_as_it_is_and_kafkas_own_are_left_out() -> None:
    found = export(topics(retention_ms="5", cleanup_policy="compact, delete"), Target("ztf", "other"), "admin")
    assert list(found.manifests) == [
        {
            "apiVersion": "distribution.fink-broker.org/v1alpha1",
            "kind": "AlertTopic",
            "metadata": {"name": "a-b", "namespace": "ztf"},
            "spec": {
                "connectionRef": {"name": "other"},
                "topicName": "a_b",
                "partitions": 3,
                "replicationFactor": 2,
                "config": {"cleanup.policy": "compact,delete", "retention.ms": "5"},
                "adoptionPolicy": "Adopt",
            },
        }
    ]
    assert found.left_out == ()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("min_insync_replicas", "3"),
        ("flush_ms", "9223372036854775807"),
        ("leader_replication_throttled_replicas", "0:1"),
        ("some_key", "x" * 1025),
    ],
)
def test_configuration_that_cannot_be_declared_is_named(key: str, value: str) -> None:
    found = export(topics(**{key: value}), Target(), "admin")
    assert "config" not in found.manifests[0]["spec"]
    (line,) = found.left_out
    assert line.startswith(f"topic a_b: {key.replace('_', '.')} {value[:40]}")


@pytest.mark.parametrize(
    ("user", "authentication", "left_out"),
    [
        ({SHA512: 4096}, {"type": "ScramSha512"}, []),
        ({SHA256: 8192}, {"type": "ScramSha256", "iterations": 8192}, []),
        ({SHA512: 4096, SHA256: 4096}, {"type": "ScramSha512"}, ["user u: its SCRAM-SHA-256 credential"]),
        ({SHA512: 50000}, {"type": "ScramSha512"}, ["user u: its 50000 iterations"]),
    ],
)
def test_a_user_is_only_looked_at(user: ObservedUser, authentication: dict[str, object], left_out: list[str]) -> None:
    found = export(users(u=user), Target(), "admin")
    assert specs(found) == [{"mode": "Observe", "authentication": authentication}]
    assert [line[: len(start)] for line, start in zip(found.left_out, left_out, strict=True)] == left_out


def test_users_that_nobody_can_declare_are_named() -> None:
    found = export(users(admin={SHA512: 4096}, a_b={SHA512: 4096}, other={}), Target(), "admin")
    assert found.manifests == ()
    assert [line.partition(":")[0] for line in found.left_out] == ["user a b", "user admin", "user other"]


def test_permissions_refer_to_what_is_exported_beside_them() -> None:
    read = [Binding("Topic", name, "Literal", "Read", "*") for name in ("a_b", "elsewhere")]
    far = Binding("Topic", "a_b", "Literal", "Read", "10.0.0.1")
    inventory = Inventory(
        topics().topics,
        {"u": {SHA512: 4096}, "u-2": {SHA512: 4096}},
        {"User:u": frozenset({*read, far}), "User:stranger": frozenset(read[:1])},
        (ForeignAcl("User:u", 2),),
        {"u": {"producer_byte_rate": 1024.0, "other_rate": 3.0, "consumer_byte_rate": 0.5}},
    )
    found = export(inventory, Target(), "admin")
    acls = {each["metadata"]["name"]: each["spec"] for each in found.manifests if each["kind"] == "KafkaAcl"}
    assert acls.keys() == {"u", "u-3"}, "u-2 is another user's"
    assert acls["u"] == {
        "userRef": {"name": "u"},
        "rules": [
            {"name": "topic-a-b", "resource": {"type": "Topic", "topicRef": {"name": "a-b"}}, "operations": ["Read"]},
            {"name": "topic-elsewhere", "resource": {"type": "Topic", "name": "elsewhere"}, "operations": ["Read"]},
        ],
        "adoptionPolicy": "Adopt",
    }
    users = {each["metadata"]["name"]: each["spec"] for each in found.manifests if each["kind"] == "KafkaUser"}
    assert users["u"]["quotas"] == {"producerByteRate": 1024}
    assert found.left_out == (
        "user u: quota consumer_byte_rate=0.5: a KafkaUser takes no such key, or whole numbers only.",
        "user u: quota other_rate=3: a KafkaUser takes no such key, or whole numbers only.",
        "permission of User:stranger: Read on Topic a_b from *: there is no KafkaUser for it above.",
        "2 permission(s) of User:u: of a type or an operation that no KafkaAcl can declare.",
    )


def test_yaml_is_the_same_for_every_reader_and_a_name_cannot_end_a_comment() -> None:
    spec = {"words": ["y", "1e3", "0o17", "+1", ".5", "null", "true", "plain", "a\nb"]}
    text = stream([{"kind": "AlertTopic", "metadata": {"name": "t"}, "spec": spec}], ["group a\n---\nkind: Secret"])
    assert text.startswith("# group a\\n---\\nkind: Secret\n---\n")
    assert yaml.safe_load(text)["spec"] == spec
    for word in ("y", "1e3", "0o17"):
        assert f'- "{word}"\n' in text
    assert "- plain\n" in text


def test_files_are_all_written_or_none(tmp_path: Path) -> None:
    manifest = {"kind": "KafkaUser", "metadata": {"name": "user"}, "spec": {}}
    content = files([manifest], ["remark"])
    write(tmp_path, content, overwrite=False)
    assert (tmp_path / "users" / "user.yaml").read_text() == "kind: KafkaUser\nmetadata:\n  name: user\nspec: {}\n"
    write(tmp_path, content, overwrite=False)
    (tmp_path / "README.md").write_text("mine")
    other = files([manifest, {"kind": "KafkaUser", "metadata": {"name": "v"}}], ["remark"])
    with pytest.raises(FileExistsError, match=r"README\.md"):
        write(tmp_path, other, overwrite=False)
    assert not (tmp_path / "users" / "v.yaml").exists()
    write(tmp_path, other, overwrite=True)
    assert (tmp_path / "README.md").read_text() == "remark\n"
