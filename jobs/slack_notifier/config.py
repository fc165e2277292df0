"""The notifier's configuration: one JSON or YAML document, checked by its schema, then frozen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from job_settings import documents, kafka, nights
from job_settings.documents import ConfigError
from job_settings.kafka import Kafka
from slack_notifier.alert_rows import Fields
from slack_notifier.client import SLACK_URL
from slack_notifier.routes import Condition, Route
from slack_notifier.token_bucket import SLACK_RATE

SCHEMA_FILE = "slack-notifier.schema.json"
EARLIEST, LATEST = "Earliest", "Latest"
PORTAL = "https://ztf.fink-portal.org/"
INTERVAL_SECONDS = 60.0
MAX_ALERTS = 40


@dataclass(frozen=True)
class Slack:
    token_file: Path
    url: str
    rate: float


@dataclass(frozen=True)
class NotifierConfig:
    slack: Slack
    kafka: Kafka
    group: str
    starting_from: str
    routes: tuple[Route, ...]
    fields: Fields
    portal: str
    max_alerts: int
    once_a_night: bool
    night_begins: float
    metrics_port: int | None

    @property
    def topics(self) -> list[str]:
        """All that are read."""
        return sorted({topic for route in self.routes for topic in route.topics})


def schema() -> dict[str, Any]:
    """The JSON schema that the package carries; a test keeps it equal to schemas/slack-notifier.schema.json."""
    return documents.packaged_schema("slack_notifier", SCHEMA_FILE)


def load(file: Path) -> NotifierConfig:
    """Read and check the document.

    Raises ConfigError, with every problem found.
    """
    return parse(documents.read(file))


def parse(document: Any) -> NotifierConfig:
    """Check a decoded document and freeze it.

    Raises ConfigError, with every problem found.
    """
    documents.check(document, schema())
    connection = kafka.freeze(document["kafka"])
    problems = [*_contradictions(document["routes"]), *kafka.contradictions(connection)]
    if problems:
        raise ConfigError(problems)
    slack, digest = document["slack"], document.get("digest", {})
    interval = float(digest.get("intervalSeconds", INTERVAL_SECONDS))
    return NotifierConfig(
        slack=Slack(
            Path(slack["tokenFile"]).absolute(),
            slack.get("url", SLACK_URL),
            float(slack.get("messagesPerSecond", SLACK_RATE)),
        ),
        kafka=connection,
        group=document["group"],
        starting_from=document.get("startingFrom", LATEST),
        routes=tuple(_route(route, interval) for route in document["routes"]),
        fields=_fields(document.get("fields", {})),
        portal=document.get("portal", PORTAL),
        max_alerts=digest.get("maxAlerts", MAX_ALERTS),
        once_a_night=document.get("repeats", "Count") == "Count",
        night_begins=float(document.get("nightBeginsAtHour", nights.BEGINS_AT_HOUR)),
        metrics_port=document.get("metrics", {}).get("port"),
    )


def _route(route: dict[str, Any], interval: float) -> Route:
    channels = route.get("toChannelOfClass", {}).get("channels")
    return Route(
        topics=frozenset(route["topics"]),
        interval=float(route.get("intervalSeconds", interval)),
        recipient=route.get("to"),
        channels=None if channels is None else frozenset(name.lower() for name in channels),
        classes=frozenset(route["classes"]) if "classes" in route else None,
        conditions=tuple(Condition(**condition) for condition in route.get("where", ())),
        threads=route.get("threads", False),
    )


def _fields(given: dict[str, list[str]]) -> Fields:
    names = {"objectId": "object_id", "class": "class_name"}
    return Fields(**{names.get(name, name): tuple(paths) for name, paths in given.items()})


def _contradictions(routes: list[dict[str, Any]]) -> list[str]:
    """What the schema cannot say in a sentence that helps."""
    found = []
    for position, route in enumerate(routes):
        if ("to" in route) == ("toChannelOfClass" in route):
            found.append(
                f"routes[{position}]: has to and toChannelOfClass, or neither. Give one: to a name, or by class."
            )
        for number, condition in enumerate(route.get("where", ())):
            if condition["operator"].endswith("in") != isinstance(condition["value"], list):
                found.append(
                    f"routes[{position}].where[{number}].value: {condition['operator']} takes "
                    f"{'a list' if condition['operator'].endswith('in') else 'one value, not a list'}. Correct it."
                )
    return found
