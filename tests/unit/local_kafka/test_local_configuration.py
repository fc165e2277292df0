"""The configuration file of the local Kafka."""

from __future__ import annotations

from pathlib import Path

import pytest

from fink_distribution.local_kafka.configuration import generate, read
from fink_distribution.local_kafka.errors import ConfigurationError


def changed(file: Path, **values: str) -> Path:
    generate(file, 1)
    lines = [line for line in file.read_text().splitlines() if line.partition("=")[0] not in values]
    file.write_text("\n".join([*lines, *(f"{key}={value}" for key, value in values.items())]))
    return file


def test_what_is_generated_is_whole_private_and_random(tmp_path: Path) -> None:
    first, second = tmp_path / "a" / "fink.conf", tmp_path / "b" / "fink.conf"
    generate(first, 3)
    generate(second, 3)
    found = read(first, tmp_path)
    assert found.bootstrap_servers == "127.0.0.1:9093,127.0.0.1:9094,127.0.0.1:9095"
    assert first.stat().st_mode & 0o777 == 0o600
    passwords = {account.password for file in (first, second) for account in read(file, tmp_path).accounts.values()}
    assert len(passwords) == 6
    assert all(password not in repr(found) for password in passwords)


def test_lines_are_read_as_a_shell_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHT", "20260131")
    monkeypatch.delenv("FINK_HOME", raising=False)
    file = changed(
        tmp_path / "fink.conf",
        DISTRIBUTION_TOPIC='"fink_${NIGHT}"  # tonight',
        DISTRIBUTION_SCHEMA="${FINK_HOME}/schemas/distribution_schema",
        DISTRIBUTION_SERVERS="'localhost:1, localhost:2'",
    )
    found = read(file, tmp_path)
    assert (found.topic, found.servers) == ("fink_20260131", ("localhost:1", "localhost:2"))


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"DISTRIBUTION_SERVERS": "here"}, "DISTRIBUTION_SERVERS holds here, which is no HOST:PORT"),
        ({"DISTRIBUTION_SERVERS": "here:70000"}, "here:70000, which is no HOST:PORT"),
        ({"DISTRIBUTION_SERVERS": "127.0.0.1:9193"}, "a port stands twice"),
        ({"DISTRIBUTION_SERVERS": ",".join(f"h:{port}" for port in range(1, 11))}, "names 10 brokers; at most 9"),
        ({"DISTRIBUTION_CONTROLLER": ""}, "DISTRIBUTION_CONTROLLER is missing"),
        ({"DISTRIBUTION_TOPIC": "a/b"}, "DISTRIBUTION_TOPIC is a/b; it is a topic's name"),
        ({"KAFKA_ADMIN_USER": "-"}, "KAFKA_ADMIN_USER is -; it is a user's name"),
        ({"DISTRIBUTION_CONSUMER_USER": "fink-producer"}, "a user stands twice"),
        ({"a line that is none": "x"}, "line 40 is not KEY=VALUE"),
    ],
)
def test_what_is_wrong_is_said_with_what_is_allowed(tmp_path: Path, values: dict[str, str], text: str) -> None:
    file = changed(tmp_path / "fink.conf", **values)
    with pytest.raises(ConfigurationError) as caught:
        read(file, tmp_path)
    assert str(file) in str(caught.value)
    assert text in str(caught.value)


@pytest.mark.parametrize("password", ["short", "with,comma-in-it", "with]bracket-in-it", "'with\"quote-in-it'"])
def test_a_password_that_kafkas_tools_would_take_apart_is_refused_and_not_shown(tmp_path: Path, password: str) -> None:
    file = changed(tmp_path / "fink.conf", KAFKA_ADMIN_PASSWORD=password)
    with pytest.raises(ConfigurationError, match="KAFKA_ADMIN_PASSWORD has another form") as caught:
        read(file, tmp_path)
    assert password.strip("'") not in str(caught.value)


def test_all_that_is_missing_is_said_at_once(tmp_path: Path) -> None:
    file = tmp_path / "fink.conf"
    file.write_text("")
    with pytest.raises(ConfigurationError) as caught:
        read(file, tmp_path)
    assert str(caught.value).count(" is missing") == 11
