"""Not enough rights in Kafka; the API server away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from confluent_kafka.admin import ScramCredentialInfo, ScramMechanism, UserScramCredentialUpsertion

from cluster.operator.door import Door
from cluster.operator.scene import MakeScene
from testbed import ports
from testbed.environment import Environment
from testbed.fixtures import wait_for


def test_a_user_without_rights_is_named_as_the_cause(make_scene: MakeScene) -> None:
    scene = make_scene()
    weak = scene.name("weak")
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    scene.admin.alter_user_scram_credentials([UserScramCredentialUpsertion(weak, info, b"weak password")])[
        weak
    ].result()
    scene.start()
    secret = scene.admin_secret()
    secret["stringData"] = {"username": weak, "password": "weak password"}
    scene.apply(secret, scene.connection())
    scene.ready("kafkaconnection", "default", "Connected", scene.home)
    scene.declare("AlertTopic", "alerts", {"topicName": scene.name("alerts")})
    scene.declare("KafkaUser", "reader", {"userName": scene.name("reader")})
    for kind, name in (("alerttopic", "alerts"), ("kafkauser", "reader")):
        assert "super user" in scene.ready(kind, name, "NotAuthorized")
    assert not scene.exists("secret", "reader")
    scene.apply(scene.admin_secret())
    for kind, name in (("alerttopic", "alerts"), ("kafkauser", "reader")):
        scene.ready(kind, name, "Reconciled")


@pytest.fixture
def door(testbed: Environment, tmp_path: Path) -> Iterator[tuple[Door, Path]]:
    """A door to the API server, and a kubeconfig that goes through it."""
    config = yaml.safe_load(testbed.kubeconfig.read_text())
    cluster = config["clusters"][0]["cluster"]
    door = Door(ports.pick("door"), urlsplit(cluster["server"]).netloc)
    cluster["server"] = f"https://127.0.0.1:{door.port}"
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(yaml.safe_dump(config))
    door.open()
    yield door, kubeconfig
    door.shut()


def test_an_api_server_that_was_away_is_caught_up_with(make_scene: MakeScene, door: tuple[Door, Path]) -> None:
    way, kubeconfig = door
    scene = make_scene()
    scene.environment = {**scene.environment, "KUBECONFIG": str(kubeconfig)}
    scene.start()
    scene.apply(scene.admin_secret(), scene.connection())
    scene.declare("AlertTopic", "before", {"topicName": scene.name("before"), "partitions": 1})
    scene.declare("KafkaUser", "gone", {"userName": scene.name("gone")})
    scene.ready("alerttopic", "before", "Reconciled")
    scene.ready("kafkauser", "gone", "Reconciled")
    way.shut()
    scene.declare("AlertTopic", "before", {"topicName": scene.name("before"), "partitions": 3})
    scene.declare("KafkaUser", "during", {"userName": scene.name("during")})
    scene.kubectl("delete", "kafkauser", "gone", "-n", scene.namespace, "--wait=false")
    assert scene.process is not None
    assert scene.process.poll() is None, "the operator waits, it does not end"
    way.open()
    scene.ready("alerttopic", "before", "Reconciled", timeout=90)
    scene.ready("kafkauser", "during", "Reconciled", timeout=90)
    wait_for(lambda: scene.users() == {scene.name("during")}, timeout=90, what="the deleted user is gone")
    assert scene.topics() == {scene.name("before"): 3}
