"""The notifier from start to end: read, send what may be sent, commit what is settled."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections import Counter
from types import FrameType

from confluent_kafka import KafkaException

from job_settings import kafka
from slack_notifier import alert_rows, api_token, decoding
from slack_notifier.alert_topics import AlertTopics, KafkaRefusedError, Received
from slack_notifier.client import SlackClient
from slack_notifier.config import LATEST, NotifierConfig
from slack_notifier.notifier import FIRST_PAUSE, LONGEST_PAUSE, Notifier, Post
from slack_notifier.replies import Outcome, Reply

LOG = logging.getLogger(__name__)
_READ_SECONDS = 0.2
_READ_MESSAGES = 500
_POSTS_IN_A_ROW = 20  # then Kafka is looked at again
_SAID_ONE_BY_ONE = 20  # broken messages of a topic; then every hundredth


def run(config: NotifierConfig) -> None:
    """Run until SIGTERM or SIGINT; nothing is lost by it, and nothing repeated.

    Raises
    ------
    slack_notifier.alert_topics.TakenOverError
        Another notifier has the group.
    """
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    pause = FIRST_PAUSE
    while not ended.is_set():
        started = time.monotonic()
        try:
            Session(config).until(ended)
        except (KafkaRefusedError, KafkaException, kafka.LoginFileError) as error:
            # All that was not settled is read again, so a session that ends loses nothing.
            pause = FIRST_PAUSE if time.monotonic() - started > LONGEST_PAUSE else min(LONGEST_PAUSE, 2 * pause)
            LOG.error("%s (again in %.0f s)", _sentence(error), pause)
            ended.wait(pause)
    LOG.info("ended")


class Session:
    """One consumer and what it has brought; it ends with an exception when Kafka wants another one."""

    def __init__(self, config: NotifierConfig) -> None:
        """Raises LoginFileError when a file of the login to Kafka cannot be read."""
        self._config = config
        self._slack = Poster(config)
        self._broken: Counter[str] = Counter()
        self._notifier = Notifier(
            config.routes,
            portal=config.portal,
            rate=config.slack.rate,
            limit=config.max_alerts,
            once_a_night=config.once_a_night,
        )
        self._topics = AlertTopics(
            kafka.client_config(config.kafka),
            config.topics,
            config.group,
            from_the_end=config.starting_from == LATEST,
            since=alert_rows.night_start(time.time(), config.night_begins) if config.once_a_night else None,
            begin=self._notifier.positions.begin,
            end=self._notifier.revoke,
        )

    def until(self, ended: threading.Event) -> None:
        """Work until the end is asked for. Raises KafkaRefusedError, TakenOverError, KafkaException."""
        try:
            while not ended.is_set():
                for received in self._topics.read(_READ_MESSAGES, _READ_SECONDS):
                    self._take(received)
                for _ in range(_POSTS_IN_A_ROW):
                    post = self._notifier.next(time.monotonic())
                    if post is None or ended.is_set():
                        break
                    self._notifier.settle(post, self._slack.post(post), time.monotonic())
                    self._commit()
                self._commit()
        finally:
            self._topics.close()

    def _take(self, received: Received) -> None:
        place = (received.partition, received.offset)
        try:
            alerts = decoding.alerts(received.key, received.value, received.headers)
            rows = [
                alert_rows.row(alert, self._config.fields, received.time, self._config.night_begins) for alert in alerts
            ]
        except (decoding.DecodingError, alert_rows.RowError) as error:
            self._say_broken(received, str(error))
            self._notifier.skip(*place)
            return
        for alert, row in zip(alerts, rows, strict=True):
            self._notifier.take(*place, row, alert, time.monotonic())

    def _commit(self) -> None:
        marks = self._notifier.marks()
        if marks and self._topics.commit(marks):
            self._notifier.positions.committed(marks)

    def _say_broken(self, received: Received, why: str) -> None:
        topic = received.partition.topic
        self._broken[topic] += 1
        number = self._broken[topic]
        if number <= _SAID_ONE_BY_ONE or number % 100 == 0:
            LOG.warning(
                "%s[%d] offset %d is skipped, the %d. of this topic: %s",
                topic,
                received.partition.number,
                received.offset,
                number,
                why,
            )


class Poster:
    """The way to Slack, with the token as its file has it when Slack is asked first, and after Slack has refused it."""

    def __init__(self, config: NotifierConfig) -> None:
        self._slack = config.slack
        self._client: SlackClient | None = None

    def post(self, post: Post) -> Reply:
        """One attempt. Never raises for what Slack does."""
        if self._client is None:
            try:
                self._client = SlackClient(api_token.read(self._slack.token_file), url=self._slack.url)
            except api_token.TokenError as error:
                return Reply(Outcome.LOGIN, str(error))
        reply = self._client.post(post.recipient, post.text, post.blocks, post.thread_ts)
        if reply.outcome is Outcome.LOGIN:
            self._client = None
        return reply


def _sentence(error: Exception) -> str:
    return f"Kafka: {error.args[0].str()}" if isinstance(error, KafkaException) else str(error)
