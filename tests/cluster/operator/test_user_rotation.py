"""Rotation: the Secret always holds a password that works, and the one before goes on for its time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from confluent_kafka.admin import ScramMechanism

from cluster.operator.logins import can_log_in
from cluster.operator.scene import Scene
from cluster.operator.test_user_passwords import bring, told, user, verified
from testbed.fixtures import wait_for


def fink_rotate(scene: Scene, name: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("fink")), "rotate", name, "-n", scene.namespace, *more]
    return subprocess.run(command, env=dict(scene.environment), capture_output=True, text=True, check=False)


def mechanisms(scene: Scene, name: str) -> set[str]:
    described = scene.admin.describe_user_scram_credentials([scene.name(name)])[scene.name(name)].result()
    return {info.mechanism.name for info in described.scram_credential_infos}


def patch_status(scene: Scene, name: str, status: dict[str, object]) -> None:
    words = ("patch", "kafkauser", name, "-n", scene.namespace, "--subresource=status", "--type=merge")
    scene.kubectl(*words, "-p", json.dumps({"status": status}))


def test_the_old_password_works_until_its_time_is_over(scene: Scene) -> None:
    spec = {"userName": scene.name("reader"), "rotation": {"graceSeconds": 40}}
    scene.declare("KafkaUser", "reader", spec)
    scene.ready("kafkauser", "reader", "Reconciled")
    first = scene.secret("reader")
    assert fink_rotate(scene, "reader", "--wait").stdout.endswith(
        f"works until {scene.status('kafkauser', 'reader')['rotation']['expiresAt']}.\n"
    )
    second = scene.secret("reader")
    assert (second["sasl.mechanism"], first["sasl.mechanism"]) == ("SCRAM-SHA-256", "SCRAM-SHA-512")
    assert second["password"] != first["password"]
    assert can_log_in(second)
    assert can_log_in(first)
    told(scene, "Rotated", "works until")
    # Asked for again before the first is over: it waits, or else the password that clients still use would end early.
    assert fink_rotate(scene, "reader").returncode == 0
    wait_for(
        lambda: "Another rotation was asked for" in scene.ready("kafkauser", "reader", "Reconciled"), what="it waits"
    )
    assert scene.secret("reader") == second
    assert can_log_in(first)
    wait_for(lambda: scene.secret("reader")["sasl.mechanism"] == "SCRAM-SHA-512", 90, what="the second rotation comes")
    third = scene.secret("reader")
    assert not can_log_in(first)
    assert can_log_in(second)
    assert can_log_in(third)
    scene.declare("KafkaUser", "reader", {**spec, "rotation": {"graceSeconds": 1}})
    wait_for(lambda: not can_log_in(second), 90, what="the second password ends")
    assert mechanisms(scene, "reader") == {ScramMechanism.SCRAM_SHA_512.name}
    told(scene, "RotationEnded", "")
    assert can_log_in(third)
    wait_for(lambda: verified(scene, "reader") == "True", what="the new password is verified")


def test_a_schedule_rotates_by_itself(scene: Scene) -> None:
    rotation = {"schedule": "* * * * *", "graceSeconds": 0}
    scene.declare("KafkaUser", "reader", {"userName": scene.name("reader"), "rotation": rotation})
    scene.ready("kafkauser", "reader", "Reconciled")
    first = scene.secret("reader")
    assert "nextAt" in scene.status("kafkauser", "reader")["rotation"]
    wait_for(lambda: scene.secret("reader")["password"] != first["password"], 90, what="the minute is over")
    wait_for(lambda: not can_log_in(first), 40, what="without grace the old password is refused")
    assert can_log_in(scene.secret("reader"))
    scene.declare("KafkaUser", "reader", {"userName": scene.name("reader"), "rotation": {"schedule": "0 0 31 2 *"}})
    assert 'rotation.schedule "0 0 31 2 *" is not understood' in scene.ready("kafkauser", "reader", "InvalidConfig")
    assert can_log_in(scene.secret("reader"))


def test_a_rotation_that_was_cut_off_goes_on(scene: Scene) -> None:
    """The two points between the writes: after the intent was written down, and after the Secret was."""
    scene.declare("KafkaUser", "reader", {"userName": scene.name("reader"), "rotation": {"graceSeconds": 600}})
    scene.ready("kafkauser", "reader", "Reconciled")
    first = scene.secret("reader")
    scene.kill()
    intent = {
        "declaredMechanism": "SCRAM-SHA-512",
        "mechanism": "SCRAM-SHA-256",
        "previousMechanism": "SCRAM-SHA-512",
        "startedAt": "2026-01-01T00:00:00Z",
        "request": "one",
    }
    patch_status(scene, "reader", {"rotation": intent})
    scene.start()
    wait_for(lambda: scene.secret("reader")["sasl.mechanism"] == "SCRAM-SHA-256", what="the rotation goes on")
    wait_for(lambda: scene.status("kafkauser", "reader")["rotation"].get("expiresAt"), what="and is written down")
    second = scene.secret("reader")
    written = scene.status("kafkauser", "reader")["credential"]
    scene.kill()
    patch_status(
        scene,
        "reader",
        {"rotation": {"expiresAt": None}, "credential": {"mechanism": "SCRAM-SHA-512", "hash": "0" * 64}},
    )
    scene.start()
    wait_for(lambda: scene.status("kafkauser", "reader")["rotation"].get("expiresAt"), what="it is written down again")
    wait_for(lambda: scene.status("kafkauser", "reader")["credential"] == written, what="with the credential")
    assert scene.secret("reader") == second
    assert scene.events("PasswordChanged") == []
    assert can_log_in(first)
    assert can_log_in(second)


def test_what_is_brought_is_not_rotated(scene: Scene) -> None:
    scene.apply(bring(scene, "reader", b"brought"), user(scene, "reader"))
    scene.ready("kafkauser", "reader", "Reconciled")
    refused = fink_rotate(scene, "reader")
    assert refused.returncode == 1
    assert "takes its password from Secret reader-source" in refused.stderr
    assert fink_rotate(scene, "nobody").returncode == 1
    annotation = "distribution.fink-broker.org/rotate=now"
    scene.kubectl("annotate", "kafkauser", "reader", "-n", scene.namespace, annotation)
    told(scene, "RotationRefused", "Change it there")
    assert can_log_in(scene.secret("reader"))
