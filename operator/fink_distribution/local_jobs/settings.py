"""What `fink start` reads of the configuration file; each job is asked only for the keys that it needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from fink_distribution.local_kafka.configuration import SLACK_GROUP, SLACK_GROUP_KEY
from fink_distribution.local_kafka.key_values import NAME, TOPIC, Form, Values
from fink_distribution.local_kafka.server_properties import Account
from fink_distribution.resources.stream_source import EARLIEST

LATEST = "Latest"

_PROTOCOLS = ("SASL_PLAINTEXT", "SASL_SSL", "SSL", "PLAINTEXT")
_MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256")
_PROTOCOL = Form(re.compile("|".join(_PROTOCOLS)), f"one of {', '.join(_PROTOCOLS)}")
_MECHANISM = Form(re.compile("|".join(_MECHANISMS)), f"one of {', '.join(_MECHANISMS)}")
_USER = Form(re.compile(r"[^\s\"\\=,]{1,249}"), "a user's name, without blanks, quotes, commas, = and backslashes")
# Files hold it, whose readers leave out blanks at both ends.
_PASSWORD = Form(
    re.compile(r"[^\x00-\x20\x7f]([^\x00-\x1f\x7f]{0,510}[^\x00-\x20\x7f])?"),
    "1 to 512 characters, none of them a control character, and no blank at an end",
    is_secret=True,
)
_PATH = Form(re.compile(r"[/~].*"), "a path that begins with / or ~")
_SOURCE = Form(re.compile(r"([/~]|[a-z][a-z0-9+.-]*://).*"), "a path that begins with / or ~, or an address hdfs://...")
_COLUMN = Form(re.compile(r"[^.\s]+"), "the name of one top-level column, candidate and not candidate.ra")
_MASTER = Form(
    re.compile(r"local(\[(\*|[1-9][0-9]{0,3})\])?"), "local[N], for N cores of this machine, or local[*], for all"
)
_MEMORY = Form(re.compile(r"[1-9][0-9]{0,5}[mg]"), "a whole number of m (mebibytes) or g, 2g for example")
_PORT = Form(
    re.compile(r"[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"),
    "a port, 1 to 65535",
)
_INTERVAL = Form(re.compile(r"[0-9]{1,4}"), "a whole number of seconds, 0 to 9999")
_CHANNEL = Form(re.compile(r"#?[^\s#,]{1,80}"), "the name of one of Slack's channels")
_TOKEN = Form(
    re.compile(r"xox[A-Za-z0-9._-]+", re.ASCII),
    "the token of an app of your workspace, xoxb-...: https://api.slack.com/apps makes one, with the scopes of docs/slack.md",
    is_secret=True,
)
_URL = Form(re.compile(r"https?://\S+"), "an address, https://...")
_ANYTHING = Form(re.compile(r".+", re.DOTALL), "a condition in SQL")
_MOMENT = Form(
    re.compile(r".+"), "earliest, latest, or a time: 2026-01-31T22:00:00Z, or seconds or milliseconds since 1970"
)
# In seconds it is the year 5138, in milliseconds 1973.
_FIRST_MILLISECONDS = 10**11


@dataclass(frozen=True)
class Kafka:
    """Where the brokers are, and who logs in; `ca_file`, for TLS, holds the certificate of their authority."""

    bootstrap_servers: str
    protocol: str
    mechanism: str
    account: Account | None
    ca_file: str | None


@dataclass(frozen=True)
class Distribution:
    """`fink start distribution`.

    Attributes
    ----------
    science
        The folder of Parquet files.
    starting_from
        What a new checkpoint begins with: Earliest, Latest, or a time (RFC 3339).
    interval
        Seconds between two looks at the folder.
    metrics_port
        Where the job answers Prometheus; None: nowhere.
    """

    kafka: Kafka
    topic: str
    transactional_id: str
    schema_file: str
    science: str
    checkpoint: str
    starting_from: str
    sql: str | None
    select: tuple[str, ...]
    drop: tuple[str, ...]
    interval: int
    master: str
    memory: str
    metrics_port: int | None


@dataclass(frozen=True)
class TopicConsole:
    """`fink start distribution_test`."""

    kafka: Kafka
    topic: str
    group: str
    schema_file: str


@dataclass(frozen=True)
class SlackNotifier:
    """`fink start slack`: all alerts to one channel, or each to the channel of its class, of `channels` only unless that is empty."""

    kafka: Kafka
    topic: str
    group: str
    channel: str | None
    channels: tuple[str, ...]
    interval: int
    url: str | None


def distribution(file: Path, home: Path) -> Distribution:
    """Read what the distribution needs.

    Parameters
    ----------
    home
        What ${FINK_HOME} stands for.

    Raises
    ------
    ConfigurationError
        All that is wrong, at once.
    """
    values = Values(file, home)
    found = Distribution(
        kafka=_kafka(values, "DISTRIBUTION_PRODUCER"),
        topic=values.one("DISTRIBUTION_TOPIC", TOPIC),
        transactional_id=values.one("DISTRIBUTION_TRANSACTIONAL_ID", NAME, "fink-distribution"),
        schema_file=_schema_file(values, home),
        science=_expanded(values.one("SCIENCE_DATABASE", _SOURCE, f"{home}/science")),
        checkpoint=_expanded(values.one("DISTRIBUTION_CHECKPOINT", _PATH, f"{home}/checkpoints/distribution")),
        starting_from=_starting_from(values),
        sql=values.one("DISTRIBUTION_FILTER", _ANYTHING, "") or None,
        select=values.several("DISTRIBUTION_COLUMNS", _COLUMN, ""),
        drop=values.several("DISTRIBUTION_DROP_COLUMNS", _COLUMN, ""),
        interval=_whole(values, "DISTRIBUTION_INTERVAL", _INTERVAL, "2"),
        master=values.one("SPARK_MASTER", _MASTER, "local[*]"),
        memory=values.one("SPARK_DRIVER_MEMORY", _MEMORY, "2g"),
        metrics_port=_whole(values, "DISTRIBUTION_METRICS_PORT", _PORT, "") or None,
    )
    if found.select and found.drop:
        values.problems.append(
            "DISTRIBUTION_COLUMNS (these only) and DISTRIBUTION_DROP_COLUMNS (all but these) stand together; give one of them"
        )
    values.check()
    return found


def topic_console(file: Path, home: Path) -> TopicConsole:
    """Read what a look at the topic needs. Raises as `distribution`."""
    values = Values(file, home)
    found = TopicConsole(
        kafka=_kafka(values, "DISTRIBUTION_CONSUMER"),
        topic=values.one("DISTRIBUTION_TOPIC", TOPIC),
        group=values.one("DISTRIBUTION_CONSUMER_GROUP", NAME),
        schema_file=_schema_file(values, home),
    )
    values.check()
    return found


def slack_notifier(file: Path, home: Path) -> SlackNotifier:
    """Read what the notifier needs; of the token only that it is there, since the notifier reads it from the file itself.

    Raises as `distribution`.
    """
    values = Values(file, home)
    values.one("SLACK_API_TOKEN", _TOKEN)
    found = SlackNotifier(
        kafka=_kafka(values, "DISTRIBUTION_CONSUMER"),
        topic=values.one("DISTRIBUTION_TOPIC", TOPIC),
        group=values.one(SLACK_GROUP_KEY, NAME, SLACK_GROUP),
        channel=_with_hash(values.one("SLACK_CHANNEL", _CHANNEL, "")) or None,
        channels=tuple(map(_with_hash, values.several("SLACK_CHANNELS", _CHANNEL, ""))),
        interval=_whole(values, "SLACK_DIGEST_SECONDS", _INTERVAL, "60"),
        url=values.one("SLACK_API_URL", _URL, "") or None,
    )
    if found.channel and found.channels:
        values.problems.append(
            "SLACK_CHANNEL (all alerts) and SLACK_CHANNELS (by class) stand together; give one of them"
        )
    values.check()
    return found


def _kafka(values: Values, who: str) -> Kafka:
    protocol = values.one("DISTRIBUTION_SECURITY_PROTOCOL", _PROTOCOL, _PROTOCOLS[0])
    ca_file = _expanded(values.one("DISTRIBUTION_CA_FILE", _PATH, ""))
    if ca_file and not protocol.endswith("SSL"):
        values.problems.append(
            f"DISTRIBUTION_CA_FILE is set, and {protocol} is without TLS; set DISTRIBUTION_SECURITY_PROTOCOL to SASL_SSL or SSL, or "
            "leave the file out"
        )
    return Kafka(
        bootstrap_servers=",".join(values.addresses("DISTRIBUTION_SERVERS")),
        protocol=protocol,
        mechanism=values.one("DISTRIBUTION_SASL_MECHANISM", _MECHANISM, _MECHANISMS[0]),
        account=values.account(who, _USER, _PASSWORD) if protocol.startswith("SASL") else None,
        ca_file=ca_file or None,
    )


def _schema_file(values: Values, home: Path) -> str:
    return _expanded(values.one("DISTRIBUTION_SCHEMA", _PATH, f"{home}/schemas/distribution_schema"))


def _starting_from(values: Values) -> str:
    text = values.one("DISTRIBUTION_OFFSET", _MOMENT, "earliest")
    words = {"earliest": EARLIEST, "latest": LATEST}
    if text.lower() in words:
        return words[text.lower()]
    try:
        moment = _moment(text)
    except (ValueError, OverflowError, OSError):
        values.problems.append(f"DISTRIBUTION_OFFSET is {text}; it is {_MOMENT.meaning}")
        return EARLIEST
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _moment(text: str) -> datetime:
    if text.isascii() and text.isdigit():
        number = int(text)
        return datetime.fromtimestamp(number if number < _FIRST_MILLISECONDS else number / 1000, UTC)
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no offset from UTC")
    return moment


def _whole(values: Values, key: str, form: Form, default: str) -> int:
    text = values.one(key, form, default)
    return int(text) if form.pattern.fullmatch(text) else 0


def _expanded(path: str) -> str:
    return str(Path(path).expanduser()) if path.startswith("~") else path


def _with_hash(channel: str) -> str:
    return f"#{channel.removeprefix('#')}" if channel else ""
