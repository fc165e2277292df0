"""Alerts from real topics to Slack's protocol, by the notifier as a process, whatever ends between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from confluent_kafka.admin import (
    AclOperation,
    AdminClient,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from job_stream import Stream
from notifier_process import NotifierProcess
from slack_alerts import alert, as_json, container, schema_in_key, send

from slack_server import Fault, SlackServer
from testbed.broker import Broker
from testbed.ports import pick


def readable(stream: Stream, short: str, partitions: int = 1) -> str:
    topic = stream.topic(short, partitions, writable=False)
    stream.allow(short, AclOperation.READ)
    return topic


def numbered(first: int, last: int) -> list[Any]:
    return [schema_in_key(alert(number)) for number in range(first, last)]


def objects(slack: SlackServer, channel: str = "#alerts") -> list[str]:
    """The numbers of the objects that a channel was told, in order."""
    texts = [message.blocks[1]["text"]["text"] for message in slack.messages if message.channel == channel]
    return [line.split("|ZTF26a")[1][:6].lstrip("0") for text in texts for line in text.splitlines()]


def test_every_format_arrives_and_a_broken_message_is_said_and_skipped(
    stream: Stream, slack: SlackServer, notifier: NotifierProcess
) -> None:
    topics = [readable(stream, short, partitions=2) for short in ("bare", "container", "json")]
    notifier.document["routes"] = [
        {"topics": topics, "to": "#alerts"},
        {"topics": topics[:1], "toChannelOfClass": {}},
    ]
    notifier.document["metrics"] = {"port": pick("slack-delivery")}
    broken = [(b"{}", b"?", []), (None, None, [])]
    send(stream.login, topics[0], [*numbered(1, 4), *broken, schema_in_key(alert(4, "Unknown"))])
    send(stream.login, topics[1], [container(alert(5)), (b"1", b"Obj", [("_format", b"avro")])])
    send(stream.login, topics[2], [as_json(alert(6)), as_json({"candid": 1})])
    send(stream.login, topics[2], [as_json(alert(7))], aborted=True)
    notifier.start()
    notifier.until_announced({"#alerts": 6, "#rrlyr": 3})
    assert sorted(objects(slack)) == ["1", "2", "3", "4", "5", "6"]
    assert sorted(objects(slack, "#rrlyr")) == ["1", "2", "3"]
    for topic, number, reason in (
        (topics[0], 2, "it is not what its key says"),
        (topics[0], 2, "it is empty"),
        (topics[1], 1, "it is not what its format avro says"),
        (topics[2], 1, "it has no object's id"),
    ):
        lines = [line for line in notifier.said().splitlines() if f"{topic}[" in line and "is skipped" in line]
        assert len(lines) == number
        assert any(reason in line for line in lines)
    notifier.until(lambda: notifier.asked("/readyz") == "ok\n", "it is ready")
    notifier.until(
        lambda: notifier.counted("fink_slack_consumer_lag_messages") == dict.fromkeys(topics, 0),
        "nothing is left to read",
    )
    assert notifier.counted("fink_slack_alerts_read_total") == dict(zip(topics, (4, 1, 1), strict=True))
    assert notifier.counted("fink_slack_messages_skipped_total") == dict(zip(topics, (2, 1, 1), strict=True))
    assert notifier.counted("fink_slack_alerts_total")["shown"] == 9
    assert notifier.counted("fink_slack_messages_total")["accepted"] == len(slack.messages)
    notifier.stop()
    assert "verysecret" not in notifier.said()
    assert stream.password not in notifier.said()


def test_offsets_follow_slack_s_acceptance_whatever_ends(
    stream: Stream, slack: SlackServer, notifier: NotifierProcess
) -> None:
    topic = readable(stream, "all")
    notifier.document["routes"] = [{"topics": [topic], "to": "#alerts"}]
    send(stream.login, topic, numbered(1, 4))

    # Slack is away: nothing is settled, and the notifier's end loses nothing.
    slack.standing["chat.postMessage"] = Fault(503)
    notifier.start()
    notifier.until(lambda: slack.calls["chat.postMessage"] >= 2, "the notifier tries")
    send(stream.login, topic, numbered(4, 6))
    notifier.until_settled({topic: 0})
    notifier.kill()
    notifier.start()
    before = slack.calls["chat.postMessage"]
    notifier.until(lambda: slack.calls["chat.postMessage"] > before, "the notifier tries again")
    assert slack.messages == []
    del slack.standing["chat.postMessage"]
    notifier.until_announced({"#alerts": 5})
    assert objects(slack) == ["1", "2", "3", "4", "5"]
    notifier.until_settled({topic: 6})  # the transaction's mark has an offset too, but for the last one
    notifier.stop()

    # Killed between Slack's acceptance and the commit: this one message is repeated, nothing else.
    send(stream.login, topic, numbered(10, 12))
    notifier.start(killed_after_acceptance=True)
    assert notifier.ended() == -9
    assert objects(slack)[5:] == ["10", "11"]
    notifier.start()
    notifier.until_announced({"#alerts": 9})
    assert objects(slack)[7:] == ["10", "11"]

    # A repeat within the night is counted, though it is another process that has told of the object.
    send(stream.login, topic, [*numbered(1, 2), *numbered(20, 21)])
    notifier.until_announced({"#alerts": 11})
    assert objects(slack)[9:] == ["20"]
    notifier.until_settled({topic: 12})
    notifier.stop()


def test_a_closed_channel_and_a_refused_token_wait_without_repeats(
    stream: Stream, slack: SlackServer, notifier: NotifierProcess
) -> None:
    topic = readable(stream, "all")
    notifier.document["routes"] = [
        {"topics": [topic], "to": "#closed"},
        {"topics": [topic], "to": "#alerts"},
    ]
    closed = slack.channel("closed", closed=True)
    send(stream.login, topic, numbered(1, 3))
    notifier.start()
    notifier.until(lambda: "#closed refuses 2 alerts, which wait: not_in_channel" in notifier.said(), "it is said")
    notifier.until_announced({"#alerts": 2})
    notifier.kill()
    # A token that is not valid, and is put right while the notifier runs.
    token = notifier.token_file.read_text()
    notifier.document["metrics"] = {"port": pick("slack-delivery")}
    notifier.token_file.write_text("xoxb-verysecret-but-wrong")
    del slack.channels[closed]["closed"]
    notifier.start()
    notifier.until(lambda: "Slack refuses the app: invalid_auth" in notifier.said(), "it is said")
    notifier.until(
        lambda: notifier.asked("/readyz").startswith("Slack refuses the app: invalid_auth. Put a valid token"),
        "it is seen",
    )
    notifier.kill()
    notifier.token_file.write_text(token)
    notifier.start()
    notifier.until_announced({"#alerts": 2, "#closed": 2})
    notifier.stop()
    assert "verysecret" not in notifier.said()


def test_a_second_notifier_takes_over_and_nothing_is_said_twice(
    stream: Stream, slack: SlackServer, notifier: NotifierProcess, tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    topic = readable(stream, "all")
    notifier.document["routes"] = [{"topics": [topic], "to": "#alerts"}]
    second = NotifierProcess(tmp_path / "second", stream, slack, eventually)
    second.document["routes"] = notifier.document["routes"]
    try:
        send(stream.login, topic, numbered(1, 3))
        notifier.start()
        notifier.until_announced({"#alerts": 2})
        notifier.until_settled({topic: 2})
        second.start()
        assert notifier.ended() == 1
        assert f"another notifier has started with the group {stream.user}" in notifier.said()
        send(stream.login, topic, numbered(3, 5))
        second.until_announced({"#alerts": 4})
        second.stop()
    finally:
        second.kill()


def test_the_latest_alerts_are_those_after_the_first_start(
    stream: Stream, slack: SlackServer, notifier: NotifierProcess
) -> None:
    topic = readable(stream, "all")
    notifier.document |= {"startingFrom": "Latest", "routes": [{"topics": [topic], "to": "#alerts"}]}
    send(stream.login, topic, numbered(1, 3))
    notifier.start()
    notifier.until(lambda: notifier.committed([topic])[topic] > 0, "the beginning is settled")
    notifier.kill()
    send(stream.login, topic, numbered(3, 5))
    notifier.start()
    notifier.until_announced({"#alerts": 2})
    assert objects(slack) == ["3", "4"]
    notifier.stop()


def test_brokers_that_go_and_a_login_that_changes_lose_nothing(
    own_broker: Broker, slack: SlackServer, tmp_path: Path, eventually: Callable[..., Any]
) -> None:
    admin = AdminClient(own_broker.client_config())
    stream = Stream(admin, own_broker.client_config(), tmp_path)
    topic = readable(stream, "all")
    notifier = NotifierProcess(tmp_path / "notifier", stream, slack, eventually)
    notifier.document["routes"] = [{"topics": [topic], "to": "#alerts"}]
    send(stream.login, topic, numbered(1, 3))
    try:
        notifier.start()
        notifier.until_announced({"#alerts": 2})
        password = "another-" + stream.password
        scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        upsertion = UserScramCredentialUpsertion(stream.user, scram, password=password.encode())
        admin.alter_user_scram_credentials([upsertion])[stream.user].result()
        own_broker.restart()
        notifier.until(lambda: "again in" in notifier.said(), "the login is refused")
        (stream.credentials / "password").write_text(password)
        send(stream.login, topic, numbered(3, 5))
        notifier.until_announced({"#alerts": 4})
        assert objects(slack) == ["1", "2", "3", "4"]
        own_broker.stop()
        notifier.until(lambda: notifier.said().count("Kafka: ") > 1, "Kafka is missed")
        notifier.stop()
        assert stream.password not in notifier.said()
    finally:
        notifier.kill()
