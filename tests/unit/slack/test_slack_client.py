"""The client against Slack's protocol: names, lists, faults, and a token that is nowhere to be seen."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from slack_clock import Clock

from slack_notifier import SlackClient, get_slack_client
from slack_notifier.api_token import TokenError
from slack_notifier.replies import Outcome
from slack_server import TOKEN, Fault, SlackServer


def test_messages_reach_channels_and_people_by_name(slack: SlackServer, client: SlackClient) -> None:
    for name in ("general", "random", "newsletter", "ops"):
        slack.channel(name)
    slack.channel("team", is_private=True)
    slack.person("Alice Aster", "alice")
    slack.person("Bob")
    slack.person("Robert Crater", "rob")
    for recipient in ("#newsletter", "#Team", "Bob", "rob", "Robert Crater"):
        reply = client.send_message(recipient, f"to {recipient}")
        assert (reply.outcome, reply.error) == (Outcome.ACCEPTED, "")
    got = [(message.channel, message.text) for message in slack.messages]
    assert got == [
        ("#newsletter", "to #newsletter"),
        ("#team", "to #Team"),
        ("Bob", "to Bob"),
        ("Robert Crater", "to rob"),
        ("Robert Crater", "to Robert Crater"),
    ]
    # Three pages of channels and two of people, each read once.
    assert (slack.calls["conversations.list"], slack.calls["users.list"]) == (3, 2)


def test_an_unknown_recipient_is_logged_and_returned(
    slack: SlackServer, client: SlackClient, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for recipient, said in (("#nowhere", "There is no channel #nowhere"), ("Nobody", "There is no person Nobody")):
        reply = client.send_message(recipient, "hello")
        assert (reply.ok, reply.outcome) == (False, Outcome.NO_RECIPIENT)
        assert said in reply.error
        assert said in caplog.text
    # The list is not read again for each of them, but it is when it has become old.
    slack.channel("nowhere")
    assert not client.send_message("#nowhere", "hello").ok
    clock.now += 601
    assert client.send_message("#nowhere", "hello").ok
    assert slack.texts("#nowhere") == ["hello"]


def test_people_who_left_bots_and_namesakes_get_nothing(slack: SlackServer, client: SlackClient) -> None:
    slack.person("Bob", deleted=True)
    slack.person("Carol", is_bot=True)
    slack.person("Dan")
    slack.person("Daniel", "Dan")
    for recipient in ("Bob", "Carol", "Dan"):
        assert client.send_message(recipient, "hello").outcome is Outcome.NO_RECIPIENT
    assert "2 have the name" in client.send_message("Dan", "hello").error
    slack.person("Bob")
    assert slack.messages == []


def test_without_the_scope_for_private_channels_the_public_ones_are_found(
    slack: SlackServer, client: SlackClient
) -> None:
    slack.scopes.clear()
    slack.channel("newsletter")
    assert client.send_message("#newsletter", "hello").ok


@pytest.mark.parametrize(
    ("fault", "outcome", "said"),
    [
        (Fault(429, retry_after=7), Outcome.BUSY, "ratelimited"),
        (Fault(200, "ratelimited"), Outcome.BUSY, "ratelimited"),
        (Fault(500), Outcome.AWAY, "HTTP status 500"),
        (Fault(503, "service_unavailable"), Outcome.AWAY, "HTTP status 503"),
        (Fault(200), Outcome.AWAY, "not JSON"),
        (Fault(disconnect=True), Outcome.AWAY, "does not answer"),
        (Fault(200, "internal_error"), Outcome.AWAY, "internal_error"),
        (Fault(200, "invalid_auth"), Outcome.LOGIN, "invalid_auth"),
        (Fault(200, "not_in_channel"), Outcome.REFUSED, "not_in_channel"),
        (Fault(200, "is_archived"), Outcome.REFUSED, "is_archived"),
        (Fault(200, "channel_not_found"), Outcome.NO_RECIPIENT, "channel_not_found"),
        (Fault(200, "msg_too_long"), Outcome.TOO_LONG, "msg_too_long"),
        (Fault(200, "invalid_blocks"), Outcome.BAD_BLOCKS, "invalid_blocks"),
        (Fault(200, "something_new"), Outcome.REFUSED, "something_new"),
    ],
)
@pytest.mark.parametrize("method", ["chat.postMessage", "conversations.list"])
def test_what_goes_wrong_is_a_reply(
    slack: SlackServer, client: SlackClient, method: str, fault: Fault, outcome: Outcome, said: str
) -> None:
    slack.channel("a")
    slack.faults[method].append(fault)
    reply = client.send_message("#a", "hello")
    assert reply.outcome is outcome
    assert said in reply.error
    assert reply.retry_after == fault.retry_after
    assert client.send_message("#a", "hello").ok


def test_nobody_listening_is_a_reply(clock: Clock) -> None:
    client = SlackClient(TOKEN, url="http://127.0.0.1:9/api/", clock=clock, sleep=clock.sleep)
    assert client.send_message("#a", "hello").outcome is Outcome.AWAY


def test_two_messages_to_a_channel_are_a_second_apart(slack: SlackServer, client: SlackClient, clock: Clock) -> None:
    slack.rate_clock = clock
    for name in ("a", "b"):
        slack.channel(name)
    for _ in range(3):
        assert client.send_message("#a", "hello").ok
        assert client.send_message("#b", "hello").ok
    assert sum(clock.slept) == pytest.approx(2.0)


def test_a_channel_that_was_replaced_is_looked_up_again(slack: SlackServer, client: SlackClient) -> None:
    old = slack.channel("a")
    assert client.send_message("#a", "one").ok
    slack.channels[old]["is_archived"] = True
    slack.channel("a")
    assert client.send_message("#a", "lost").error == "is_archived"
    assert client.send_message("#a", "two").ok


def test_a_client_for_scripts_tries_again(slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    slack.channel("a")
    client = get_slack_client(TOKEN, url=slack.url)
    slack.faults["chat.postMessage"] += [Fault(429, retry_after=5), Fault(500), Fault(disconnect=True)]
    assert client.send_message("#a", "hello").ok
    assert slack.texts("#a") == ["hello"]


def test_a_token_that_slack_refuses_is_said_at_once(slack: SlackServer) -> None:
    with pytest.raises(TokenError, match=r"Slack refuses the token: invalid_auth\. Put a valid token into"):
        get_slack_client("xoxb-wrong", url=slack.url)
    slack.faults["auth.test"] += [Fault(404)]
    assert get_slack_client(TOKEN, url=slack.url)


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        f"{TOKEN}\n",
        f"A=1\nexport SLACK_API_TOKEN='{TOKEN}'  \n",
        f"SLACK_API_TOKEN={TOKEN}",
        f"SLACK_API_TOKEN={TOKEN}  # the bot's",
    ],
)
def test_the_token_comes_from_a_file_of_either_form(
    text: str, slack: SlackServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "fink.conf"
    file.write_text(text)
    monkeypatch.setenv("SLACK_API_TOKEN", "xoxb-not-this-one")
    monkeypatch.setenv("SLACK_API_TOKEN_FILE", str(file))
    slack.channel("newsletter")
    assert get_slack_client(url=slack.url).send_message("#newsletter", "hello").ok


def test_the_token_may_stand_in_the_environment(slack: SlackServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLACK_API_TOKEN_FILE", raising=False)
    monkeypatch.setenv("SLACK_API_TOKEN", TOKEN)
    slack.channel("newsletter")
    assert get_slack_client(url=slack.url).send_message("#newsletter", "hello").ok


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        (b"", "no token of Slack's"),
        (b"SLACK_API_TOKEN=", "no token of Slack's"),
        (b"hidden\r\nX-Evil: 1", "no token of Slack's"),
        (b"\xff\xfe", "is no text"),
    ],
)
def test_what_is_wrong_with_a_token_file_is_said_without_it(
    content: bytes | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("SLACK_API_TOKEN_FILE", str(file))
    with pytest.raises(TokenError, match=said) as caught:
        get_slack_client()
    assert "hidden" not in str(caught.value)


def test_a_missing_token_says_where_to_put_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SLACK_API_TOKEN_FILE", raising=False)
    monkeypatch.delenv("SLACK_API_TOKEN", raising=False)
    with pytest.raises(TokenError, match="set SLACK_API_TOKEN_FILE to its path"):
        get_slack_client()


def test_the_token_is_in_no_log_and_no_error(
    slack: SlackServer, client: SlackClient, caplog: pytest.LogCaptureFixture
) -> None:
    slack.channel("a")
    faults = [Fault(429, retry_after=1), Fault(500), Fault(200, "invalid_auth"), Fault(disconnect=True), Fault(200)]
    with caplog.at_level(logging.DEBUG):
        for fault in faults:
            slack.faults["chat.postMessage"].append(fault)
            assert "verysecret" not in repr(client.send_message("#a", "hello"))
        assert client.send_message("#a", "hello").ok
    assert "api/chat.postMessage" in caplog.text  # slack_sdk has logged what it does
    assert "verysecret" not in caplog.text
    assert "verysecret" not in repr(client)
