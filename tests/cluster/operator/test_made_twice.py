"""The same state by the commands of `fink_kafka` and by the manifests that they print: Kafka cannot tell which it was."""

from __future__ import annotations

import shlex
from pathlib import Path

from cluster.operator.logins import can_log_in
from cluster.operator.scene import Scene
from fink_command import fink_kafka
from testbed.environment import Environment
from testbed.fixtures import wait_for

PASSWORD = "community-password"
COMMENT = "# Its password: kubectl "


def everything(scene: Scene, user: str) -> dict[str, object]:
    """All that Kafka has of the scene's."""
    infos = scene.admin.describe_user_scram_credentials([user])[user].result().scram_credential_infos
    return {
        "topics": {name: (partitions, scene.topic_config(name)) for name, partitions in scene.topics().items()},
        "user": [(info.mechanism, info.iterations) for info in infos],
        "acls": scene.acls(user),
    }


def test_commands_and_their_manifests_make_the_same(scene: Scene, testbed: Environment, tmp_path: Path) -> None:
    topic, user, group = scene.name("alerts"), scene.name("community"), scene.name("readers")
    file = tmp_path / "FILE"
    file.write_text(PASSWORD)
    reader, writer = ("-u", user, "-c", group, "-t", topic), ("-u", user, "-p", "-t", topic)
    made = [
        ("--create-topic", topic, "--partitions", "3"),
        ("--authentication", "-a", "-u", user, "--password-file", str(file)),
        ("--authorization", "-a", *reader),
        ("--authorization", "-a", *writer),
    ]
    undone = [
        ("--authorization", "-d", *reader),
        ("--authorization", "-d", *writer),
        ("--authentication", "-d", "-u", user),
        ("--delete-topic", topic),
    ]

    def do(*arguments: str) -> str:
        done = fink_kafka(*arguments, home=tmp_path, FINK_KAFKA_CONFIG=str(testbed.kafka_admin_config))
        assert done.status == 0, done.err
        return done.out

    for arguments in made:
        do(*arguments)
    wait_for(lambda: len(scene.acls(user)) == 5 and scene.topics() == {topic: 3}, what="all is there")
    by_commands = everything(scene, user)
    login = {**scene.admin_config, "sasl.mechanism": "SCRAM-SHA-512", "username": user, "password": PASSWORD}
    assert can_log_in(login)
    for arguments in undone:
        do(*arguments)
    wait_for(lambda: not scene.acls(user) and not scene.topics() and not scene.users(), what="all is gone")

    manifests = "".join(do(*arguments, "-o", "yaml") for arguments in made)
    [words] = [line.removeprefix(COMMENT) for line in manifests.splitlines() if line.startswith(COMMENT)]
    scene.kubectl(*shlex.split(words.replace("=FILE", f"={file}")), "-n", scene.namespace)
    scene.kubectl("apply", "-n", scene.namespace, "-f", "-", stdin=manifests)
    scene.kubectl("wait", "--for=condition=Ready", "atopic,kuser,kacl", "--all", "-n", scene.namespace, "--timeout=60s")
    assert everything(scene, user) == by_commands
    assert can_log_in(login)
