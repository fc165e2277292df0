"""What `fink start` reads of the configuration file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fink_distribution.local_jobs import settings
from fink_distribution.local_kafka.configuration import generate
from fink_distribution.local_kafka.errors import ConfigurationError

REPOSITORY = Path(__file__).resolve().parents[3]
REMOTE = {
    "DISTRIBUTION_SERVERS": "k1.example.org:9092,[2001:db8::1]:9092",
    "DISTRIBUTION_TOPIC": "fink_outstream",
    "DISTRIBUTION_PRODUCER_USER": "producer@example.org",
    "DISTRIBUTION_PRODUCER_PASSWORD": "'a \"word\" with, all sorts'",
    "DISTRIBUTION_CONSUMER_USER": "consumer",
    "DISTRIBUTION_CONSUMER_PASSWORD": "x",
    "DISTRIBUTION_CONSUMER_GROUP": "readers",
    "SLACK_API_TOKEN": "xoxb-1234-secret",
}
"""All that any of the jobs needs; nothing that only the Kafka of this machine needs."""

JOBS: dict[str, Callable[[Path, Path], Any]] = {
    "distribution": settings.distribution,
    "distribution_test": settings.topic_console,
    "slack": settings.slack_notifier,
}


def written(folder: Path, **values: str | None) -> Path:
    file = folder / "remote.conf"
    lines = [f"{key}={value}" for key, value in {**REMOTE, **values}.items() if value is not None]
    file.write_text("\n".join(lines))
    return file


def refusal(job: str, folder: Path, **values: str | None) -> str:
    with pytest.raises(ConfigurationError) as caught:
        JOBS[job](written(folder, **values), folder)
    assert str(folder / "remote.conf") in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("job", ["distribution", "distribution_test"])
def test_the_file_of_fink_kafka_start_is_enough(tmp_path: Path, job: str) -> None:
    generate(tmp_path / "fink.conf", 1)
    found = JOBS[job](tmp_path / "fink.conf", tmp_path)
    assert found.kafka.bootstrap_servers == "127.0.0.1:9093"
    assert (found.kafka.protocol, found.kafka.mechanism) == ("SASL_PLAINTEXT", "SCRAM-SHA-512")
    assert found.schema_file == f"{tmp_path}/schemas/distribution_schema"


def test_a_file_of_another_kafka_needs_no_key_of_the_local_one_and_has_defaults(tmp_path: Path) -> None:
    found = settings.distribution(written(tmp_path), tmp_path)
    assert found.kafka.bootstrap_servers == REMOTE["DISTRIBUTION_SERVERS"]
    assert found.kafka.account is not None
    assert (found.kafka.account.user, found.kafka.account.password) == (
        "producer@example.org",
        'a "word" with, all sorts',
    )
    assert (found.science, found.checkpoint) == (f"{tmp_path}/science", f"{tmp_path}/checkpoints/distribution")
    assert (found.starting_from, found.transactional_id, found.sql) == ("Earliest", "fink-distribution", None)
    assert (found.interval, found.master, found.memory) == (2, "local[*]", "2g")
    notifier = settings.slack_notifier(written(tmp_path), tmp_path)
    assert (notifier.group, notifier.interval, notifier.channel, notifier.channels) == ("fink-slack", 60, None, ())


def test_a_login_is_not_asked_for_where_there_is_none(tmp_path: Path) -> None:
    values = {key: None for key in REMOTE if key.endswith(("_USER", "_PASSWORD"))}
    found = settings.distribution(
        written(tmp_path, DISTRIBUTION_SECURITY_PROTOCOL="SSL", DISTRIBUTION_CA_FILE="/ca.pem", **values), tmp_path
    )
    assert (found.kafka.account, found.kafka.ca_file) == (None, "/ca.pem")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("earliest", "Earliest"),
        ("LATEST", "Latest"),
        ("2026-01-31T22:00:00Z", "2026-01-31T22:00:00Z"),
        ("2026-02-01T00:00:00.5+02:00", "2026-01-31T22:00:00.500000Z"),
        ("1769896800", "2026-01-31T22:00:00Z"),
        ("1769896800000", "2026-01-31T22:00:00Z"),
        ("1769896800123", "2026-01-31T22:00:00.123000Z"),
    ],
)
def test_where_a_new_checkpoint_begins(tmp_path: Path, text: str, moment: str) -> None:
    assert settings.distribution(written(tmp_path, DISTRIBUTION_OFFSET=text), tmp_path).starting_from == moment


@pytest.mark.parametrize("text", ["yesterday", "2026-01-31T22:00:00", "2026-13-01T00:00:00Z", "9" * 30, "-1"])
def test_what_is_no_beginning(tmp_path: Path, text: str) -> None:
    said = refusal("distribution", tmp_path, DISTRIBUTION_OFFSET=text)
    assert f"DISTRIBUTION_OFFSET is {text}; it is earliest, latest, or a time: 2026-01-31T22:00:00Z" in said


@pytest.mark.parametrize(
    ("job", "key"),
    [
        *((job, key) for job in JOBS for key in ("DISTRIBUTION_SERVERS", "DISTRIBUTION_TOPIC")),
        *(("distribution", f"DISTRIBUTION_PRODUCER_{part}") for part in ("USER", "PASSWORD")),
        *(("distribution_test", f"DISTRIBUTION_CONSUMER_{part}") for part in ("USER", "PASSWORD", "GROUP")),
        *(("slack", f"DISTRIBUTION_CONSUMER_{part}") for part in ("USER", "PASSWORD")),
        ("slack", "SLACK_API_TOKEN"),
    ],
)
def test_each_key_that_is_missing_is_named(tmp_path: Path, job: str, key: str) -> None:
    assert f"{key} is missing; it is " in refusal(job, tmp_path, **{key: None})


@pytest.mark.parametrize(
    ("job", "values", "text"),
    [
        ("distribution", {"DISTRIBUTION_SERVERS": "kafka"}, "DISTRIBUTION_SERVERS holds kafka, which is no HOST:PORT"),
        ("distribution", {"DISTRIBUTION_TOPIC": "a/b"}, "DISTRIBUTION_TOPIC is a/b; it is a topic's name"),
        ("distribution", {"DISTRIBUTION_PRODUCER_USER": '"a b"'}, "DISTRIBUTION_PRODUCER_USER is a b; it is a user's name"),
        ("distribution", {"DISTRIBUTION_SECURITY_PROTOCOL": "TLS"}, "TLS; it is one of SASL_PLAINTEXT, SASL_SSL, SSL, PLAINTEXT"),
        ("distribution", {"DISTRIBUTION_SASL_MECHANISM": "PLAIN"}, "PLAIN; it is one of SCRAM-SHA-512, SCRAM-SHA-256"),
        ("distribution", {"DISTRIBUTION_CA_FILE": "/ca.pem"}, "DISTRIBUTION_CA_FILE is set, and SASL_PLAINTEXT is without TLS"),
        ("distribution", {"DISTRIBUTION_SCHEMA": "schemas"}, "DISTRIBUTION_SCHEMA is schemas; it is a path that begins with / or ~"),
        ("distribution", {"SCIENCE_DATABASE": "science"}, "SCIENCE_DATABASE is science; it is a path"),
        ("distribution", {"DISTRIBUTION_CHECKPOINT": "s3://b/c"}, "DISTRIBUTION_CHECKPOINT is s3://b/c; it is a path"),
        ("distribution", {"DISTRIBUTION_COLUMNS": "a,b.c"}, "DISTRIBUTION_COLUMNS holds b.c; each is the name of one top-level"),
        ("distribution", {"DISTRIBUTION_COLUMNS": "a", "DISTRIBUTION_DROP_COLUMNS": "b"}, "stand together; give one of them"),
        ("distribution", {"DISTRIBUTION_INTERVAL": "soon"}, "DISTRIBUTION_INTERVAL is soon; it is a whole number of seconds"),
        ("distribution", {"DISTRIBUTION_METRICS_PORT": "65536"}, "DISTRIBUTION_METRICS_PORT is 65536; it is a port, 1 to 65535"),
        ("distribution", {"DISTRIBUTION_TRANSACTIONAL_ID": "a/b"}, "DISTRIBUTION_TRANSACTIONAL_ID is a/b"),
        ("distribution", {"SPARK_MASTER": "yarn"}, "SPARK_MASTER is yarn; it is local[N]"),
        ("distribution", {"SPARK_DRIVER_MEMORY": "2GB"}, "SPARK_DRIVER_MEMORY is 2GB; it is a whole number of m"),
        ("distribution_test", {"DISTRIBUTION_CONSUMER_GROUP": "a b"}, "DISTRIBUTION_CONSUMER_GROUP is a b"),
        ("slack", {"SLACK_CHANNEL": "'two words'"}, "SLACK_CHANNEL is two words; it is the name of one of Slack's channels"),
        ("slack", {"SLACK_CHANNELS": "a,'b c'"}, "SLACK_CHANNELS holds"),
        ("slack", {"SLACK_CHANNEL": "a", "SLACK_CHANNELS": "b"}, "SLACK_CHANNEL (all alerts) and SLACK_CHANNELS (by class)"),
        ("slack", {"SLACK_API_URL": "slack"}, "SLACK_API_URL is slack; it is an address"),
        ("slack", {"SLACK_DIGEST_SECONDS": "1.5"}, "SLACK_DIGEST_SECONDS is 1.5; it is a whole number of seconds"),
        ("slack", {"SLACK_CONSUMER_GROUP": "a/b"}, "SLACK_CONSUMER_GROUP is a/b"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_what_is_allowed(
    tmp_path: Path, job: str, values: dict[str, str], text: str
) -> None:
    assert text in refusal(job, tmp_path, **values)


@pytest.mark.parametrize(
    ("job", "key", "secret"),
    [
        ("distribution", "DISTRIBUTION_PRODUCER_PASSWORD", "hid\tden"),
        ("distribution_test", "DISTRIBUTION_CONSUMER_PASSWORD", "hid\tden"),
        ("slack", "SLACK_API_TOKEN", "hidden"),
    ],
)
def test_a_secret_of_another_form_is_not_shown(tmp_path: Path, job: str, key: str, secret: str) -> None:
    said = refusal(job, tmp_path, **{key: f"'{secret}'"})
    assert f"{key} has another form; it is " in said
    assert secret not in said


def test_channels_may_be_written_with_and_without_their_mark(tmp_path: Path) -> None:
    found = settings.slack_notifier(written(tmp_path, SLACK_CHANNELS="'rrlyr, #ebwuma'"), tmp_path)
    assert found.channels == ("#rrlyr", "#ebwuma")
    assert settings.slack_notifier(written(tmp_path, SLACK_CHANNEL="alerts"), tmp_path).channel == "#alerts"


def test_all_that_is_missing_is_said_at_once(tmp_path: Path) -> None:
    file = tmp_path / "remote.conf"
    file.write_text("")
    with pytest.raises(ConfigurationError) as caught:
        settings.distribution(file, tmp_path)
    assert str(caught.value).count(" is missing") == 4


def test_the_example_lacks_only_its_passwords(tmp_path: Path) -> None:
    text = (REPOSITORY / "examples" / "local" / "fink.conf").read_text()
    file = tmp_path / "fink.conf"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        settings.distribution(file, tmp_path)
    assert str(caught.value).startswith(f"{file}: DISTRIBUTION_PRODUCER_PASSWORD is missing; it is 1 to 512 characters")
    assert str(caught.value).count(" is missing") == 1
    file.write_text(text.replace("_PASSWORD=", "_PASSWORD=secret"))
    found = settings.distribution(file, tmp_path)
    assert (found.kafka.protocol, found.starting_from, len(found.drop)) == ("SASL_SSL", "Earliest", 3)
    assert settings.topic_console(file, tmp_path).schema_file == found.schema_file
