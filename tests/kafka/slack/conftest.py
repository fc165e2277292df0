"""A workspace of Slack's, topics with a user that may read them, and the notifier as a process between the two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from job_stream import Stream
from notifier_process import NotifierProcess

from slack_server import SlackServer, slack_server
from testbed.environment import Environment, properties


@pytest.fixture
def slack() -> Iterator[SlackServer]:
    with slack_server() as server:
        for name in ("alerts", "rrlyr"):
            server.channel(name)
        yield server


@pytest.fixture
def stream(kafka_admin: AdminClient, testbed: Environment, tmp_path: Path) -> Stream:
    return Stream(kafka_admin, dict(properties(testbed.kafka_admin_config)), tmp_path)


@pytest.fixture
def notifier(
    stream: Stream, slack: SlackServer, tmp_path: Path, eventually: Callable[..., Any]
) -> Iterator[NotifierProcess]:
    process = NotifierProcess(tmp_path / "notifier", stream, slack, eventually)
    yield process
    process.kill()
