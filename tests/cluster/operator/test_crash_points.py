"""A crash after each single write, one by one: whatever was half done is finished by the next operator, with the same end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cluster.operator.logins import can_log_in
from cluster.operator.scene import MakeScene, Scene
from testbed.fixtures import wait_for

CRASHING = Path(__file__).with_name("crashing_operator.py")


def _resources(scene: Scene, name: str, partitions: int, retention: str, group: str) -> list[dict[str, Any]]:
    consumer = {"topics": [{"topicRef": {"name": name}}], "group": {"name": scene.name(group)}}
    topic = {
        "topicName": scene.name(name),
        "partitions": partitions,
        "config": {"retention.ms": retention},
        "deletionPolicy": "Delete",
    }
    return [
        scene.manifest("AlertTopic", name, topic),
        scene.manifest("KafkaUser", name, {"userName": scene.name(name)}),
        scene.manifest("KafkaAcl", name, {"userRef": {"name": name}, "consumer": consumer}),
    ]


class Story:
    """Create, change, delete; a step is over when it has converged, or when the operator has died."""

    def __init__(self, scene: Scene, name: str, counts: Path) -> None:
        self.scene = scene
        self.name = name
        self.counts = counts

    def start(self, last: int) -> None:
        """Start an operator that dies after its write number `last`."""
        command = [sys.executable, str(CRASHING), str(self.counts), str(last)]
        with self.scene.log.open("ab") as log:
            self.scene.process = subprocess.Popen(command, env=self.scene.settings(), stdout=log, stderr=log)

    def revive(self) -> None:
        """Start an operator that lives, if the other has died."""
        if self.scene.process is not None and self.scene.process.poll() is not None:
            self.scene.process = None
            self.start(0)

    def settled(self, look: Any, what: str) -> None:
        """Wait for a state, with a new operator in place of one that dies on the way."""

        def attempt() -> bool:
            self.revive()
            return bool(look())

        wait_for(attempt, timeout=60, what=f"{what} of {self.name}")

    def tell(self) -> None:
        """Play the whole of it, comparing what stands in Kafka after each step."""
        scene, topic = self.scene, self.scene.name(self.name)
        for partitions, retention, group in ((1, "3600000", "one"), (3, "7200000", "two")):
            scene.apply(*_resources(scene, self.name, partitions, retention, group))
            wanted = {
                f"READ TOPIC LITERAL {topic} *",
                f"DESCRIBE TOPIC LITERAL {topic} *",
                f"READ GROUP LITERAL {scene.name(group)} *",
            }
            self.settled(lambda: all(self._is_ready(kind) for kind in ("alerttopic", "kafkauser", "kafkaacl")), "Ready")
            assert scene.topics().get(topic) == partitions
            assert scene.topic_config(topic) == {"retention.ms": retention}
            assert scene.acls(topic) == wanted
            assert can_log_in(scene.secret(self.name))
        scene.kubectl("delete", "kafkaacl,kafkauser,alerttopic", self.name, "-n", scene.namespace, "--wait=false")
        self.settled(
            lambda: not any(scene.exists(kind, self.name) for kind in ("alerttopic", "kafkauser", "kafkaacl")),
            "the end",
        )
        assert topic not in scene.topics()
        assert topic not in scene.users()
        assert scene.acls(topic) == set()
        wait_for(lambda: not scene.exists("secret", self.name), what="the Secret is gone")

    def _is_ready(self, kind: str) -> bool:
        body = self.scene.get(kind, self.name)
        status = body.get("status", {})
        ready = any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions", []))
        return ready and status["observedGeneration"] == body["metadata"]["generation"]


@pytest.mark.timeout(1800)
def test_a_crash_after_each_single_write_changes_nothing_of_the_end(make_scene: MakeScene, tmp_path: Path) -> None:
    scene = make_scene(drift_seconds=600)
    scene.apply(scene.admin_secret(), scene.connection())
    counts = tmp_path / "writes"
    whole = Story(scene, "whole", counts)
    whole.start(0)
    whole.tell()
    scene.kill()
    writes = counts.read_text().splitlines()
    print("\n".join(writes))
    # Each kind's finalizer, ledger and status, and each change in Kafka.
    assert len(writes) > 15
    assert any("create_topics" in line for line in writes)
    for number in range(1, len(writes) + 1):
        story = Story(scene, f"crash-{number}", counts)
        story.start(number)
        story.tell()
        scene.kill()
