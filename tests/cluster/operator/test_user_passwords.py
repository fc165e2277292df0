"""Brought passwords of any bytes, the forms of the Secret, and what becomes of an edited or deleted one."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient

from cluster.operator.java_client import can_list_topics
from cluster.operator.logins import can_log_in
from cluster.operator.scene import MakeScene, Scene
from testbed.environment import Environment
from testbed.fixtures import wait_for

TAKEN = {
    "letters": b"correcthorsebatterystaple",
    "spaces": b"with spaces, also at the end ",
    "quotes": b"""double " single ' back`tick""",
    "backslashes": rb"\back\\slash\n\u0041\\",
    "properties": b"#=:!;${file:/etc/passwd:x},{}",
    "accents": "pässwörd".encode(),
    "cyrillic": "пароль".encode(),
    "chinese": "密碼".encode(),
    "newline": b"from an editor\n",
    "crlf": b"from another editor\r\n",
    "longest": b"x" * 1024,
}
REFUSED = {
    "empty": (b"", "is empty"),
    "only-newline": (b"\n", "is empty"),
    "two-newlines": (b"sesame\n\n", "holds a control character"),
    "tab": (b"sesame\tstreet", "holds a control character"),
    "nul": (b"sesame\0street", "holds a control character"),
    "latin1": (b"p\xe4ssword", "is not UTF-8"),
    "too-long": (b"x" * 1025, "is longer than 1024 bytes"),
    "space-in-front": (b" sesame", "begins with a space"),
    "emoji": ("pass\N{GRINNING FACE}".encode(), "newer than Unicode 3.2"),
    "no-break-space": (b"a\xc2\xa0b", "holds a space other than the usual one"),
    "decomposed": (b"e\xcc\x81", "also spells otherwise"),
    "soft-hyphen": (b"a\xc2\xadb", "holds an invisible character"),
    "directions": ("aאb".encode(), "mixes directions"),
}


def bring(scene: Scene, name: str, content: bytes, key: str = "password") -> dict[str, Any]:
    """Return a Secret with a password that somebody brings."""
    metadata = {"name": f"{name}-source", "namespace": scene.namespace}
    data = {key: base64.b64encode(content).decode()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}


def user(scene: Scene, name: str, **authentication: Any) -> dict[str, Any]:
    """Return a KafkaUser whose password is brought."""
    source = {"passwordSecretRef": {"name": f"{name}-source"}}
    spec = {"userName": scene.name(name), "authentication": {**source, **authentication}}
    return scene.manifest("KafkaUser", name, spec)


def look_now(scene: Scene, name: str, value: str) -> None:
    """Have a user looked at before the next drift pass."""
    words = ("annotate", "--overwrite", "kafkauser", name, "-n", scene.namespace)
    scene.kubectl(*words, f"distribution.fink-broker.org/requested-at={value}")


def told(scene: Scene, reason: str, words: str) -> str:
    """Wait for an Event that says something, and return its message: there may be several of one reason."""
    return wait_for(
        lambda: next((message for message in scene.events(reason) if words in message), ""),
        what=f"an Event {reason} says: {words}",
    )


def verified(scene: Scene, name: str) -> str | None:
    """Return the status of the condition CredentialsVerified."""
    found = scene.status("kafkauser", name).get("conditions", [])
    return next((str(each["status"]) for each in found if each["type"] == "CredentialsVerified"), None)


def librdkafka_logs_in(properties: str) -> bool:
    """Log in with the lines of a file as tools read it: a name, "=", and all that follows."""
    config = dict(line.split("=", 1) for line in properties.splitlines())
    return bool(AdminClient({**config, "log_level": 0}).list_topics(timeout=10))


def test_a_brought_password_logs_in_or_is_refused(scene: Scene, testbed: Environment, tmp_path: Path) -> None:
    contents = {**TAKEN, **{name: content for name, (content, _) in REFUSED.items()}}
    scene.apply(*(bring(scene, name, content) for name, content in contents.items()))
    scene.apply(*(user(scene, name) for name in contents))
    for name, (content, message) in REFUSED.items():
        said = scene.ready("kafkauser", name, "PasswordInvalid")
        assert message in said
        assert f"{name}-source, key password," in said
        assert len(content) < 2 or content.decode("latin-1").strip() not in said
        assert not scene.exists("secret", name)
    for name, content in TAKEN.items():
        scene.ready("kafkauser", name, "Reconciled")
        secret = scene.secret(name)
        assert secret["password"] == content.decode().rstrip("\r\n"), name
        assert can_log_in(secret), name
        assert librdkafka_logs_in(secret["librdkafka.properties"]), name
        wait_for(lambda name=name: verified(scene, name) == "True", what=f"the login of {name} is verified")
    assert scene.users() == {scene.name(name) for name in TAKEN}
    for name in ("spaces", "quotes", "backslashes", "properties", "chinese"):
        properties = scene.secret(name)["client.properties"]
        assert can_list_topics(testbed.kafka_jars, properties, testbed.kafka_bootstrap, tmp_path), name
    wrong = scene.secret("letters")["client.properties"].replace("staple", "table")
    assert not can_list_topics(testbed.kafka_jars, wrong, testbed.kafka_bootstrap, tmp_path)
    log = scene.log.read_text()
    assert [name for name, content in TAKEN.items() if content.decode().strip() in log] == []


def test_a_brought_password_is_waited_for_and_followed(scene: Scene) -> None:
    scene.apply(user(scene, "reader"))
    assert "Create it with the key password" in scene.ready("kafkauser", "reader", "DependencyNotReady")
    scene.apply(bring(scene, "reader", b"first", key="word"))
    assert "has no key password (it has: word)" in scene.ready("kafkauser", "reader", "CredentialsMissing")
    scene.apply(bring(scene, "reader", b"first"))
    scene.ready("kafkauser", "reader", "Reconciled")
    first = scene.secret("reader")
    assert can_log_in(first)
    scene.apply(bring(scene, "reader", b"second"))
    look_now(scene, "reader", "now")
    wait_for(lambda: scene.secret("reader")["password"] == "second", what="the Secret follows")
    wait_for(lambda: can_log_in(scene.secret("reader")), what="the new password lets the user in")
    wait_for(lambda: not can_log_in(first), what="the old one is refused")
    told(scene, "PasswordChanged", "has changed")
    scene.kubectl("patch", "secret", "reader", "-n", scene.namespace, "-p", '{"stringData": {"password": "edited"}}')
    wait_for(lambda: scene.secret("reader")["password"] == "second", what="the brought password is put back")
    assert can_log_in(scene.secret("reader"))
    told(scene, "SecretRepaired", "was put right")


def test_what_became_of_an_edited_or_deleted_secret_is_said(scene: Scene) -> None:
    labels = {"team": "supernovae", "tier": "gold"}
    spec = {"userName": scene.name("reader"), "secret": {"labels": labels, "annotations": {"note": "ours"}}}
    scene.declare("KafkaUser", "reader", spec)
    scene.ready("kafkauser", "reader", "Reconciled")
    on_secret = ("-n", scene.namespace, "secret", "reader")
    scene.kubectl("label", *on_secret, "theirs=stays", "team=edited", "--overwrite")
    scene.kubectl("patch", *on_secret, "-p", '{"stringData": {"password": "edited by hand"}}')
    wait_for(lambda: "edited by hand" in scene.secret("reader")["client.properties"], what="the other entries follow")
    wait_for(lambda: can_log_in(scene.secret("reader")), what="the edited password lets the user in")
    told(scene, "PasswordChanged", "was edited")
    scene.declare("KafkaUser", "reader", {**spec, "secret": {"labels": {"team": "supernovae"}}})

    def metadata() -> bool:
        found = scene.get("secret", "reader")["metadata"]
        assert {"team": "supernovae", "theirs": "stays"}.items() <= found["labels"].items()
        return "tier" not in found["labels"] and "note" not in found.get("annotations", {})

    wait_for(metadata, what="labels are put right, ours that are taken out go, theirs stay")
    scene.kubectl("patch", *on_secret, "-p", '{"stringData": {"password": ""}}')
    wait_for(lambda: len(scene.secret("reader")["password"]) == 32, what="an impossible password is replaced")
    wait_for(lambda: can_log_in(scene.secret("reader")), what="the new one lets the user in")
    told(scene, "SecretReplaced", "A new one was made")
    scene.kubectl("patch", *on_secret, "-p", '{"data": {"client.properties": ""}}')
    wait_for(lambda: scene.secret("reader")["client.properties"], what="a destroyed entry is put right")
    told(scene, "SecretRepaired", "client.properties")
    scene.kubectl("delete", *on_secret)
    assert "clients have to read the Secret again" in told(scene, "SecretReplaced", "was deleted")


def test_a_pass_over_unchanged_users_writes_nothing(make_scene: MakeScene) -> None:
    scene = make_scene(drift_seconds=1)
    scene.start()
    scene.apply(scene.admin_secret(), scene.connection())
    scene.apply(bring(scene, "brought", b"brought"), user(scene, "brought"))
    scene.declare("KafkaUser", "made", {"userName": scene.name("made"), "quotas": {"producerByteRate": 1000}})
    names = ("brought", "made")
    for name in names:
        scene.ready("kafkauser", name, "Reconciled")
        wait_for(lambda name=name: verified(scene, name) == "True", what=f"the login of {name} is verified")
    kinds = ("kafkauser", "secret")

    def versions() -> list[str]:
        return [scene.get(kind, name)["metadata"]["resourceVersion"] for kind in kinds for name in names]

    def changes() -> list[str]:
        log = scene.log.read_text().splitlines()
        return [line for line in log if any(f"user {scene.name(name)}: " in line for name in names)]

    before = versions(), changes()
    assert len(changes()) == 3, "two credentials and the quotas are written, each once"
    scene.declare("KafkaUser", "other", {"userName": scene.name("other")})
    scene.ready("kafkauser", "other", "Reconciled")
    for _ in range(3):
        old = scene.get("secret", "other")["metadata"]["uid"]
        scene.kubectl("delete", "secret", "other", "-n", scene.namespace)
        wait_for(
            lambda old=old: scene.exists("secret", "other") and scene.get("secret", "other")["metadata"]["uid"] != old,
            what="a drift pass has come by",
        )
    assert (versions(), changes()) == before
