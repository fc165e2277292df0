"""The notifier's core against Slack's protocol, at a clock of the test's own."""

from __future__ import annotations

import logging
from collections import Counter

import pytest
from slack_clock import Clock
from slack_scene import NIGHT_JD, Scene, alert, counted, route, said, shown, total

from slack_notifier.client import SlackClient
from slack_notifier.positions import Mark
from slack_notifier.routes import Condition
from slack_server import Fault, SlackServer

CLASSES = ["RRLyr", "EB*WUMa", "LPV*", "YSO", "CataclyV*", "Star", "Galaxy", "EmG", "Seyfert", "QSO", "AGN", "Blazar"]


@pytest.fixture(autouse=True)
def channels(slack: SlackServer) -> None:
    slack.channel("alerts")


def test_a_digest_comes_when_its_interval_is_over(slack: SlackServer, client: SlackClient, clock: Clock) -> None:
    scene = Scene(client, clock)
    scene.come(alert(1), alert(2, "EB*WUMa"))
    scene.wait(59)
    assert (slack.messages, scene.mark.offset) == ([], 0)
    scene.come(alert(3))
    scene.wait(1)
    (message,) = slack.messages
    assert message.text == ("3 alerts: ZTF26a000001 (`RRLyr`), ZTF26a000002 (`EB*WUMa`), ZTF26a000003 (`RRLyr`).")
    assert said(message).splitlines() == [
        "*3 alerts*",
        *(
            f"<https://ztf.fink-portal.org/ZTF26a00000{n}|ZTF26a00000{n}>  `{name}`  RA 12.50{n}000°, Dec -13.250000°  mag 18.12  5 detections"
            for n, name in ((1, "RRLyr"), (2, "EB*WUMa"), (3, "RRLyr"))
        ),
    ]
    assert scene.mark == Mark(3, 3)


def test_a_burst_keeps_to_the_rate_and_loses_no_alert(slack: SlackServer, client: SlackClient, clock: Clock) -> None:
    slack.rate_clock = clock
    for name in CLASSES:
        slack.channel("".join(filter(str.isalpha, name)).lower())
    by_class = route(None, interval=10.0)
    scene = Scene(client, clock, by_class, route(conditions=(Condition("candidate.ra", "<", 12.6),), interval=0.0))
    for start in range(0, 10_000, 500):
        scene.come(*(alert(number, CLASSES[number % 12]) for number in range(start, start + 500)))
        scene.wait(1)
    scene.wait(30)
    assert slack.refused_for_rate == 0
    announced = Counter[str]()
    for message in slack.messages:
        assert total(message) == len(shown(message)) + counted(message)
        announced[message.channel] += total(message)
    assert announced.pop("#alerts") == 100
    assert (len(announced), announced.total()) == (12, 10_000)
    assert scene.mark == Mark(10_000, 10_000)
    # 20 s of alerts are two or three digests a channel, not hundreds of messages.
    assert len(slack.messages) <= 12 * 3 + 3


def test_what_has_no_room_is_counted_by_class(slack: SlackServer, client: SlackClient, clock: Clock) -> None:
    scene = Scene(client, clock, limit=2)
    scene.come(alert(1), alert(2), *(alert(number, "EB*") for number in (3, 4, 5)), alert(6))
    scene.wait(60)
    (message,) = slack.messages
    assert shown(message) == ["ZTF26a000001", "ZTF26a000002"]
    assert said(message).startswith("*6 alerts*")
    assert said(message).endswith("4 of them are not shown (`EB*` 3, `RRLyr` 1); read them in `t-all`.")
    assert message.text.endswith("4 of them are not shown (`EB*` 3, `RRLyr` 1); read them in `t-all`.")


def test_an_hour_without_slack_loses_nothing_and_floods_nobody(
    slack: SlackServer, client: SlackClient, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    slack.rate_clock = clock
    scene = Scene(client, clock)
    slack.standing["chat.postMessage"] = Fault(503)
    for minute in range(60):
        scene.come(*(alert(minute * 100 + number) for number in range(100)))
        scene.wait(60, step=1)
    tries = slack.calls["chat.postMessage"]
    assert tries < 70  # the pauses grow to a minute
    assert (slack.messages, scene.mark.offset) == ([], 0)
    del slack.standing["chat.postMessage"]
    scene.wait(125)
    assert [total(message) for message in slack.messages] == [100, 5900]
    assert scene.mark == Mark(6000, 6000)
    assert "HTTP status 503 (again in 60 s)" in caplog.text


def test_retry_after_is_honoured(slack: SlackServer, client: SlackClient, clock: Clock) -> None:
    slack.channel("other")
    scene = Scene(client, clock, route(interval=0.0), route("#other", interval=5.0))
    slack.faults["chat.postMessage"].append(Fault(429, retry_after=30))
    scene.come(alert(1))
    scene.wait(29)
    assert slack.calls["chat.postMessage"] == 1
    scene.wait(2)
    assert {message.channel for message in slack.messages} == {"#alerts", "#other"}


@pytest.mark.parametrize("fault", [Fault(500), Fault(disconnect=True), Fault(200), Fault(200, "internal_error")])
def test_what_slack_did_not_take_comes_again(
    slack: SlackServer, client: SlackClient, clock: Clock, fault: Fault
) -> None:
    scene = Scene(client, clock)
    slack.faults["chat.postMessage"] += [fault, fault]
    scene.come(alert(1))
    scene.wait(70)
    assert [shown(message) for message in slack.messages] == [["ZTF26a000001"]]
    assert scene.mark == Mark(1, 1)


def test_a_closed_channel_waits_and_does_not_hold_up_the_others(
    slack: SlackServer, client: SlackClient, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    closed = slack.channel("closed", closed=True)
    scene = Scene(client, clock, route("#closed", classes=frozenset({"RRLyr"})), route())
    scene.come(alert(1, "Star"), alert(2), alert(3, "Star"))
    scene.wait(120)
    assert [message.channel for message in slack.messages] == ["#alerts"]
    assert scene.mark == Mark(1, 3, {"#closed": 1})
    assert "#closed refuses 1 alerts, which wait: not_in_channel. Invite the app into the channel" in caplog.text

    # A restart repeats nothing to the open channel, and forgets nothing of the closed one.
    again = Scene(client, clock, *scene.notifier._routes)
    again.begin(scene.mark)
    again.come(alert(2), alert(3, "Star"), alert(4, "Star"))
    again.wait(61)
    assert shown(slack.messages[-1]) == ["ZTF26a000004"]
    del slack.channels[closed]["closed"]
    again.wait(300)
    assert [(message.channel, shown(message)) for message in slack.messages[2:]] == [("#closed", ["ZTF26a000002"])]
    assert again.mark == Mark(4, 4)


def test_a_named_channel_that_is_missing_is_waited_for_and_one_of_a_class_is_not(
    slack: SlackServer, client: SlackClient, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene(client, clock, route("#late"), route(None))
    scene.come(alert(1), alert(2, "Unknown"), alert(3, "***"))
    scene.wait(60)
    assert "1 alerts for #rrlyr are not sent: There is no channel #rrlyr" in caplog.text
    assert "#late refuses 3 alerts, which wait: There is no channel #late" in caplog.text
    assert scene.mark == Mark(0, 3, {"#late": 0})
    slack.channel("late")
    scene.wait(1000)
    assert [(message.channel, total(message)) for message in slack.messages] == [("#late", 3)]
    assert scene.mark == Mark(3, 3)


def test_a_refused_token_is_said_and_waited_for(
    slack: SlackServer, client: SlackClient, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    scene = Scene(client, clock)
    slack.standing["chat.postMessage"] = Fault(200, "token_revoked")
    scene.come(alert(1))
    scene.wait(300)
    assert slack.calls["chat.postMessage"] == 5
    assert "Slack refuses the app: token_revoked. Put a valid token into the token file." in caplog.text
    del slack.standing["chat.postMessage"]
    scene.wait(60)
    assert len(slack.messages) == 1


def test_a_message_that_is_too_long_is_divided(slack: SlackServer, client: SlackClient, clock: Clock) -> None:
    slack.rate_clock = clock
    slack.longest = 1200
    scene = Scene(client, clock, limit=20)
    scene.come(*(alert(number) for number in range(25)))
    scene.wait(100)
    assert [name for message in slack.messages for name in shown(message)] == [f"ZTF26a{n:06d}" for n in range(20)]
    assert sum(map(total, slack.messages)) == 25
    assert slack.refused_for_rate == 0
    slack.longest = 600
    scene.come({**alert(30), "objectId": "é" * 60})
    scene.wait(100)
    assert [counted(message) for message in slack.messages][-1] == 1
    assert scene.mark == Mark(26, 26)


def test_a_layout_that_slack_refuses_is_sent_as_text(slack: SlackServer, client: SlackClient, clock: Clock) -> None:
    slack.faults["chat.postMessage"].append(Fault(200, "invalid_blocks"))
    scene = Scene(client, clock)
    scene.come(alert(1))
    scene.wait(70)
    (message,) = slack.messages
    assert message.blocks == []
    assert message.text.startswith("1 alert\n<https://ztf.fink-portal.org/ZTF26a000001|ZTF26a000001>  `RRLyr`  RA 12.5")


def test_an_object_is_announced_once_a_night(slack: SlackServer, client: SlackClient, clock: Clock) -> None:
    slack.channel("other")
    scene = Scene(client, clock, route(), route("#other", conditions=(Condition("candidate.magpsf", "<", 18),)))
    scene.come(alert(1), alert(1), alert(1, magpsf=17.0))
    scene.wait(60)
    scene.come(alert(1))
    scene.wait(120)
    assert [(message.channel, total(message)) for message in slack.messages] == [("#alerts", 3), ("#other", 1)]
    assert said(slack.messages[0]).endswith(
        "2 of them, not shown, are of objects that had one before in the same night."
    )
    assert scene.mark == Mark(4, 4)  # a repeat alone is no reason for a message, and holds nothing up
    scene.come(alert(1, jd=NIGHT_JD + 1))
    scene.wait(60)
    assert (shown(slack.messages[-1]), total(slack.messages[-1])) == (["ZTF26a000001"], 2)


def test_repeats_are_shown_where_that_is_wanted(slack: SlackServer, client: SlackClient, clock: Clock) -> None:
    scene = Scene(client, clock, once=False)
    scene.come(alert(1), alert(1))
    scene.wait(60)
    assert shown(slack.messages[0]) == ["ZTF26a000001"] * 2


def test_a_restart_knows_what_it_has_told_this_night(slack: SlackServer, client: SlackClient, clock: Clock) -> None:
    scene = Scene(client, clock)
    scene.begin(Mark(2, 2))
    scene.offset = 0  # the night's alerts are read once more
    scene.come(alert(1), alert(2))
    scene.wait(61)
    assert (slack.messages, scene.mark) == ([], Mark(2, 2))
    scene.come(alert(2), alert(3))
    scene.wait(61)
    assert (shown(slack.messages[0]), counted(slack.messages[0])) == (["ZTF26a000003"], 1)


def test_threads_gather_the_alerts_of_an_object(slack: SlackServer, client: SlackClient, clock: Clock) -> None:
    slack.rate_clock = clock
    scene = Scene(client, clock, route(threads=True), limit=3)
    scene.come(alert(1), alert(2), alert(1, jd=NIGHT_JD + 1), alert(4))
    scene.wait(65)
    scene.come(alert(2, jd=NIGHT_JD + 1))
    scene.wait(65)
    first, second, overflow, later = slack.messages
    assert [shown(first), shown(second), shown(later)] == [["ZTF26a000001"] * 2, ["ZTF26a000002"], ["ZTF26a000002"]]
    assert (counted(overflow), total(overflow)) == (1, 1)
    assert [message.thread_ts for message in slack.messages] == [None, None, None, second.ts]
    assert slack.refused_for_rate == 0


def test_the_token_is_in_no_log(
    slack: SlackServer, client: SlackClient, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        scene = Scene(client, clock, route(), route("#missing"), route(None))
        faults = [Fault(200, "invalid_auth"), Fault(500), Fault(200, "invalid_blocks"), Fault(429, retry_after=1)]
        slack.faults["chat.postMessage"] += faults
        scene.come(alert(1))
        scene.wait(200)
    assert len(slack.messages) == 1
    assert "verysecret" not in caplog.text
