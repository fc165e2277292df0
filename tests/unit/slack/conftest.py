"""A workspace of Slack's, and a client of it that does not wait."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from slack_clock import Clock

from slack_notifier.client import SlackClient
from slack_server import TOKEN, SlackServer, slack_server


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with slack_server() as server:
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(slack: SlackServer, clock: Clock) -> SlackClient:
    return SlackClient(TOKEN, url=slack.url, clock=clock, sleep=clock.sleep)
