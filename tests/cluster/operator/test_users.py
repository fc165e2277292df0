"""KafkaUser: what becomes of the credential in Kafka and of the Secret."""

from __future__ import annotations

import base64
import json

import pytest
from confluent_kafka.admin import (
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)

from cluster.operator.logins import can_log_in
from cluster.operator.scene import Scene
from testbed.fixtures import wait_for


def _make_by_hand(scene: Scene, user: str, password: str) -> None:
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    scene.admin.alter_user_scram_credentials([UserScramCredentialUpsertion(user, info, password.encode())])[
        user
    ].result()


def _by_hand(scene: Scene, user: str, password: str) -> dict[str, str]:
    return {
        "bootstrap.servers": scene.admin_config["bootstrap.servers"],
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "SCRAM-SHA-512",
        "username": user,
        "password": password,
    }


@pytest.mark.parametrize(("kind", "mechanism"), [("ScramSha512", "SCRAM-SHA-512"), ("ScramSha256", "SCRAM-SHA-256")])
def test_the_secret_is_all_that_a_client_needs(scene: Scene, kind: str, mechanism: str) -> None:
    user = scene.name("reader")
    scene.declare("KafkaUser", "reader", {"userName": user, "authentication": {"type": kind, "iterations": 8192}})
    scene.ready("kafkauser", "reader", "Reconciled")
    secret = scene.secret("reader")
    assert secret["sasl.mechanism"] == mechanism
    assert secret["username"] == user
    assert len(secret["password"]) == 32
    assert secret["password"] in secret["sasl.jaas.config"]
    assert can_log_in(secret)
    assert not can_log_in({**secret, "password": "wrong"})
    described = scene.admin.describe_user_scram_credentials([user])[user].result()
    assert [info.iterations for info in described.scram_credential_infos] == [8192]
    assert secret["password"] not in json.dumps(scene.get("kafkauser", "reader"))
    assert secret["password"] not in scene.kubectl("get", "events", "-n", scene.namespace, "-o", "json")
    assert secret["password"] not in scene.log.read_text()


def test_a_user_goes_with_its_resource_and_stays_when_it_is_to_be_retained(scene: Scene) -> None:
    gone, stays = scene.name("gone"), scene.name("stays")
    scene.declare("KafkaUser", "gone", {"userName": gone})
    scene.declare("KafkaUser", "stays", {"userName": stays, "deletionPolicy": "Retain"})
    for name in ("gone", "stays"):
        scene.ready("kafkauser", name, "Reconciled")
    secrets = {name: scene.secret(name) for name in ("gone", "stays")}
    for name in ("gone", "stays"):
        scene.delete("kafkauser", name)
        assert not scene.exists("secret", name)
    assert scene.users() == {stays}
    assert can_log_in(secrets["stays"])
    wait_for(lambda: not can_log_in(secrets["gone"]), what="the deleted user is refused")


def test_a_user_made_by_hand_is_left_alone(scene: Scene) -> None:
    user = scene.name("by-hand")
    _make_by_hand(scene, user, "its own password")
    scene.declare("KafkaUser", "mine", {"userName": user})
    assert "was not made by this resource" in scene.ready("kafkauser", "mine", "Conflict")
    assert not scene.exists("secret", "mine")
    scene.delete("kafkauser", "mine")
    assert scene.users() == {user}
    assert can_log_in(_by_hand(scene, user, "its own password"))


def test_a_user_made_by_hand_is_taken_over_when_it_is_to_be_adopted(scene: Scene) -> None:
    user = scene.name("by-hand")
    _make_by_hand(scene, user, "its own password")
    scene.declare("KafkaUser", "mine", {"userName": user, "adoptionPolicy": "Adopt"})
    scene.ready("kafkauser", "mine", "Reconciled")
    assert can_log_in(scene.secret("mine"))
    assert not can_log_in(_by_hand(scene, user, "its own password"))
    scene.delete("kafkauser", "mine")
    assert scene.users() == set()


def test_a_foreign_secret_is_never_overwritten(scene: Scene) -> None:
    words = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "theirs", "namespace": scene.namespace}}
    scene.apply({**words, "stringData": {"password": "theirs"}})
    scene.declare("KafkaUser", "mine", {"userName": scene.name("mine"), "secret": {"name": "theirs"}})
    assert "not overwritten" in scene.ready("kafkauser", "mine", "SecretConflict")
    scene.delete("kafkauser", "mine")
    assert scene.secret("theirs") == {"password": "theirs"}
    assert scene.users() == set()


def test_a_deleted_or_edited_secret_is_put_right(scene: Scene) -> None:
    user = scene.name("reader")
    scene.declare("KafkaUser", "reader", {"userName": user})
    scene.ready("kafkauser", "reader", "Reconciled")
    first = scene.secret("reader")
    scene.kubectl("delete", "secret", "reader", "-n", scene.namespace)
    wait_for(
        lambda: scene.exists("secret", "reader") and can_log_in(scene.secret("reader")),
        what="a new Secret lets the user in",
    )
    assert scene.secret("reader")["password"] != first["password"]
    word = base64.b64encode(b"0123456789abcdef").decode()
    scene.kubectl("patch", "secret", "reader", "-n", scene.namespace, "-p", json.dumps({"data": {"password": word}}))
    wait_for(lambda: can_log_in({**first, "password": "0123456789abcdef"}), what="the edited password lets the user in")
    wait_for(lambda: "0123456789abcdef" in scene.secret("reader")["sasl.jaas.config"], what="the JAAS line follows")


def test_a_credential_removed_by_hand_comes_back_with_the_same_password(scene: Scene) -> None:
    user = scene.name("reader")
    scene.declare("KafkaUser", "reader", {"userName": user})
    scene.ready("kafkauser", "reader", "Reconciled")
    secret = scene.secret("reader")
    removal = UserScramCredentialDeletion(user, ScramMechanism.SCRAM_SHA_512)
    scene.admin.alter_user_scram_credentials([removal])[user].result()
    wait_for(lambda: user in scene.users(), what="the credential is there again")
    assert scene.secret("reader") == secret
    assert can_log_in(secret)


def test_another_mechanism_replaces_the_first(scene: Scene) -> None:
    user = scene.name("reader")
    scene.declare("KafkaUser", "reader", {"userName": user})
    scene.ready("kafkauser", "reader", "Reconciled")
    scene.declare("KafkaUser", "reader", {"userName": user, "authentication": {"type": "ScramSha256"}})
    wait_for(lambda: scene.secret("reader")["sasl.mechanism"] == "SCRAM-SHA-256", what="the Secret says so")
    scene.ready("kafkauser", "reader", "Reconciled")
    described = scene.admin.describe_user_scram_credentials([user])[user].result()
    assert [info.mechanism for info in described.scram_credential_infos] == [ScramMechanism.SCRAM_SHA_256]
    assert can_log_in(scene.secret("reader"))


def test_the_operators_own_user_cannot_be_taken(scene: Scene) -> None:
    scene.declare("KafkaUser", "mine", {"userName": scene.admin_config["sasl.username"]})
    assert "the operator itself" in scene.ready("kafkauser", "mine", "Conflict")
    assert can_log_in(_by_hand(scene, scene.admin_config["sasl.username"], scene.admin_config["sasl.password"]))
