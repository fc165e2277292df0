"""What the notifier counts and times, for Prometheus.

Labels take few values: the topics of the configuration, and what may become of an alert or of a message; never names of channels, of people
or of classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from slack_notifier.notifier import Fate
from slack_notifier.replies import Outcome

_REQUEST_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The metrics of one process, all there from the start, so that the first alert is an increase."""

    def __init__(self, topics: Sequence[str]) -> None:
        self.collectors = CollectorRegistry()
        ProcessCollector(registry=self.collectors)
        self._read = Counter(
            "fink_slack_alerts_read_total", "Alerts that were read from Kafka.", ["topic"], registry=self.collectors
        )
        self._broken = Counter(
            "fink_slack_messages_skipped_total",
            "Messages of Kafka's that held no alert which can be announced.",
            ["topic"],
            registry=self.collectors,
        )
        self._alerts = Counter(
            "fink_slack_alerts_total",
            "What became of alerts, for each recipient: shown, counted (no room), repeated (the object was told), dropped (no such channel).",
            ["fate"],
            registry=self.collectors,
        )
        self._messages = Counter(
            "fink_slack_messages_total",
            "Attempts to send a message to Slack, by what Slack made of them.",
            ["outcome"],
            registry=self.collectors,
        )
        self._seconds = Histogram(
            "fink_slack_message_duration_seconds",
            "How long Slack took to answer an attempt.",
            buckets=_REQUEST_SECONDS,
            registry=self.collectors,
        )
        self._waiting = Gauge(
            "fink_slack_waiting_alerts", "Alerts that are gathered and not sent yet.", registry=self.collectors
        )
        self._recipients = Gauge(
            "fink_slack_waiting_recipients", "Channels and people that alerts wait for.", registry=self.collectors
        )
        self._lag = Gauge(
            "fink_slack_consumer_lag_messages",
            "Messages that have not been read yet.",
            ["topic"],
            registry=self.collectors,
        )
        for topic in topics:
            for metric in (self._read, self._broken, self._lag):
                metric.labels(topic)
        for fate in Fate:
            self._alerts.labels(fate)
        for outcome in Outcome:
            self._messages.labels(outcome)

    def read(self, topic: str, alerts: int) -> None:
        """Count the alerts of a message."""
        self._read.labels(topic).inc(alerts)

    def skipped(self, topic: str) -> None:
        """Count a message without an alert."""
        self._broken.labels(topic).inc()

    def came_of(self, fate: Fate, alerts: int) -> None:
        """Count what became of alerts."""
        self._alerts.labels(fate).inc(alerts)

    def attempt(self, outcome: Outcome, seconds: float) -> None:
        """Count an attempt to send a message."""
        self._messages.labels(outcome).inc()
        self._seconds.observe(seconds)

    def state(self, waiting: int, recipients: int, lag: Mapping[str, int]) -> None:
        """Note what waits for Slack, for how many, and how many messages of each topic are still to be read."""
        self._waiting.set(waiting)
        self._recipients.set(recipients)
        for topic, messages in lag.items():
            self._lag.labels(topic).set(messages)
