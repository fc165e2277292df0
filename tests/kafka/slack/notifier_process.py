"""The notifier as a process of its own, as users run it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests
from confluent_kafka import Consumer, TopicPartition
from job_stream import Stream

from slack_server import TOKEN, SlackServer

HERE = Path(__file__).resolve().parent
JOBS = HERE.parents[2] / "jobs"
TIMEOUT = 60.0


class NotifierProcess:
    """It may be started again and again; `document` is its configuration."""

    def __init__(self, folder: Path, stream: Stream, slack: SlackServer, eventually: Callable[..., Any]) -> None:
        folder.mkdir()
        self.folder = folder
        self.token_file = folder / "token"
        self.token_file.write_text(TOKEN)
        self.log = folder / "log"
        self._stream = stream
        self._slack = slack
        self._eventually = eventually
        self._process: subprocess.Popen[bytes] | None = None
        stream.allow_group(stream.user)
        self.document: dict[str, Any] = {
            "version": 1,
            "slack": {"tokenFile": str(self.token_file), "url": slack.url},
            "kafka": stream.kafka,
            "group": stream.user,
            "startingFrom": "Earliest",
            "digest": {"intervalSeconds": 0.5},
            "routes": [],
        }

    def start(self, *, killed_after_acceptance: bool = False) -> None:
        config = self.folder / "slack.json"
        config.write_text(json.dumps(self.document))
        module = "killed_notifier" if killed_after_acceptance else "slack_notifier"
        environment = {**os.environ, "PYTHONPATH": f"{JOBS}:{HERE}"}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, "--config", str(config)], stdout=log, stderr=log, env=environment
            )

    def said(self) -> str:
        """All that it has logged."""
        return self.log.read_text()

    def until(self, look: Callable[[], object], what: str) -> None:
        """Wait until it is so; the notifier's end before that fails at once."""

        def looked() -> object:
            found = look()
            if not found and self._process is not None and self._process.poll() is not None:
                return self
            return found

        try:
            assert self._eventually(looked, timeout=TIMEOUT, what=what) is not self, f"it ended before {what}"
        except BaseException:
            print(self.said()[-4000:])
            raise

    def until_announced(self, expected: dict[str, int]) -> None:
        """Wait until Slack has been told of so many alerts, by channel, and Kafka that all is settled."""
        self.until(lambda: self.announced() == expected, f"{expected} alerts are announced")

    def announced(self) -> dict[str, int]:
        """How many alerts Slack has been told of, by channel."""
        found = Counter[str]()
        for message in self._slack.messages:
            number = re.match(r"(\d+) alert", message.text)
            assert number
            found[message.channel] += int(number[1])
        return dict(found)

    def until_settled(self, offsets: dict[str, int]) -> None:
        """Wait until Kafka has these offsets, by topic, summed over its partitions."""
        self.until(lambda: self.committed(list(offsets)) == offsets, f"the offsets are {offsets}")

    def committed(self, topics: list[str]) -> dict[str, int]:
        """What the group has committed, by topic, summed over its partitions; -1 for nothing."""
        consumer = Consumer({**self._stream.login, "group.id": self._stream.user})
        try:
            known = consumer.list_topics(timeout=20).topics
            asked = [TopicPartition(topic, number) for topic in topics for number in known[topic].partitions]
            found = consumer.committed(asked, timeout=20)
        finally:
            consumer.close()
        sums: dict[str, int] = {}
        for one in found:
            sums[one.topic] = sums.get(one.topic, 0) + max(one.offset, 0)
        return sums if any(one.offset >= 0 for one in found) else dict.fromkeys(topics, -1)

    def asked(self, path: str) -> str:
        """What it answers over HTTP, where its document has a port; empty while it does not."""
        try:
            answer = requests.get(f"http://127.0.0.1:{self.document['metrics']['port']}{path}", timeout=10)
        except requests.ConnectionError:
            return ""
        return answer.text

    def counted(self, metric: str) -> dict[str, float]:
        """The samples of a metric, by the value of its label."""
        found = re.findall(rf'^{metric}\{{\w+="(.*)"\}} (\S+)$', self.asked("/metrics"), re.MULTILINE)
        return {label: float(value) for label, value in found}

    def ended(self) -> int:
        """Its exit status."""
        assert self._process is not None
        return self._process.wait(TIMEOUT)

    def stop(self) -> None:
        """SIGTERM, and check that it ends well."""
        assert self._process is not None
        self._process.terminate()
        assert self.ended() == 0, self.said()[-3000:]

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
