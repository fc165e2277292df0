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
from slack_notifier import alert_rows, decoding, endpoints
from slack_notifier.alert_topics import AlertTopics, KafkaRefusedError, Received
from slack_notifier.config import LATEST, NotifierConfig
from slack_notifier.digests import Partition
from slack_notifier.health import Health
from slack_notifier.metrics import Metrics
from slack_notifier.notifier import FIRST_PAUSE, LONGEST_PAUSE, Notifier
from slack_notifier.positions import Mark
from slack_notifier.poster import Poster

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
    job_settings.endpoints.PortError
        The port of the metrics cannot be opened.
    """
    ended = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    metrics, health = Metrics(config.topics), Health()
    with endpoints.serve(config.metrics_port, metrics, health):
        _sessions(config, metrics, health, ended)
    LOG.info("ended")


def _sessions(config: NotifierConfig, metrics: Metrics, health: Health, ended: threading.Event) -> None:
    pause = FIRST_PAUSE
    while not ended.is_set():
        started = time.monotonic()
        try:
            Session(config, metrics, health).until(ended)
        except (KafkaRefusedError, KafkaException, kafka.LoginFileError) as error:
            # All that was not settled is read again, so a session that ends loses nothing.
            pause = FIRST_PAUSE if time.monotonic() - started > LONGEST_PAUSE else min(LONGEST_PAUSE, 2 * pause)
            LOG.error("%s (again in %.0f s)", _sentence(error), pause)
            health.kafka(_sentence(error))
            ended.wait(pause)


class Session:
    """One consumer and what it has brought; it ends with an exception when Kafka wants another one."""

    def __init__(self, config: NotifierConfig, metrics: Metrics, health: Health) -> None:
        """Raises LoginFileError when a file of the login to Kafka cannot be read."""
        self._config = config
        self._metrics = metrics
        self._health = health
        self._slack = Poster(config.slack, health, metrics)
        self._broken: Counter[str] = Counter()
        self._notifier = Notifier(
            config.routes,
            portal=config.portal,
            rate=config.slack.rate,
            limit=config.max_alerts,
            once_a_night=config.once_a_night,
            came_of=metrics.came_of,
        )
        self._topics = AlertTopics(
            kafka.client_config(config.kafka),
            config.topics,
            config.group,
            from_the_end=config.starting_from == LATEST,
            since=alert_rows.night_start(time.time(), config.night_begins) if config.once_a_night else None,
            begin=self._begin,
            end=self._notifier.revoke,
        )

    def until(self, ended: threading.Event) -> None:
        """Work until the end is asked for. Raises KafkaRefusedError, TakenOverError, KafkaException."""
        try:
            while not ended.is_set():
                self._health.beat()
                for received in self._topics.read(_READ_MESSAGES, _READ_SECONDS):
                    self._take(received)
                self._slack.check(time.monotonic())
                for _ in range(_POSTS_IN_A_ROW):
                    post = self._notifier.next(time.monotonic())
                    if post is None or ended.is_set():
                        break
                    self._notifier.settle(post, self._slack.post(post), time.monotonic())
                    self._commit()
                self._commit()
                self._metrics.state(*self._notifier.waiting(), self._topics.behind())
        finally:
            self._topics.close()

    def _begin(self, partition: Partition, mark: Mark) -> None:
        self._notifier.positions.begin(partition, mark)
        self._health.kafka(None)

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
        self._metrics.read(received.partition.topic, len(alerts))
        for alert, row in zip(alerts, rows, strict=True):
            self._notifier.take(*place, row, alert, time.monotonic())

    def _commit(self) -> None:
        marks = self._notifier.marks()
        if marks and self._topics.commit(marks):
            self._notifier.positions.committed(marks)

    def _say_broken(self, received: Received, why: str) -> None:
        topic = received.partition.topic
        self._metrics.skipped(topic)
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


def _sentence(error: Exception) -> str:
    return f"Kafka: {error.args[0].str()}" if isinstance(error, KafkaException) else str(error)
