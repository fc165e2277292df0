"""`fink_kafka`: its command lines, their helps, what is wrong with others and how they end."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from fink_distribution.cli.fink_kafka.exits import Exit
from fink_distribution.cli.fink_kafka.main import main
from fink_distribution.local_kafka import configuration
from fink_distribution.manifests.problems import Origin
from fink_distribution.manifests.reading import Document
from fink_distribution.manifests.schemas import check


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def run(home: Path, line: str, stdin: str | bytes | None = None, **environment: str) -> Result:
    variables = {"FINK_KAFKA_CONFIG": None, "FINK_HOME": str(home), **environment}
    return CliRunner(env=variables).invoke(main, shlex.split(line), input=stdin, prog_name="fink_kafka")


def said(done: Result) -> str:
    return " ".join(done.output.split())


@pytest.mark.parametrize("line", ["-h", "--help"])
def test_help_names_the_services_as_they_are_typed(home: Path, line: str) -> None:
    done = run(home, line)
    assert done.exit_code == 0
    for service in (
        "start",
        "stop",
        "--create-topic TOPIC",
        "--delete-topic TOPIC",
        "--describe-topic TOPIC",
        "--list-topics",
        "--authentication",
        "--authorization",
        "--list-acl",
    ):
        assert f"\n  {service} " in done.output


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("--authentication -h", ["--authentication [OPTIONS]", "-p PASSWORD", "--password-file FILE"]),
        ("--authorization -h", ["--authorization [OPTIONS]", "-p Give access rights for a producer", "-H HOST"]),
        ("-h --authorization", ["--authorization [OPTIONS]"]),
        ("--create-topic --help", ["--create-topic [OPTIONS] TOPIC", "--partitions N"]),
        ("start -h", ["start [OPTIONS]", "--brokers N", "FINK_HOME"]),
    ],
)
def test_each_service_has_its_own_help(home: Path, line: str, parts: list[str]) -> None:
    done = run(home, line)
    assert done.exit_code == 0
    assert "Exit status:" in done.output
    for part in parts:
        assert part in said(done)


def test_every_exit_status_is_in_the_help(home: Path) -> None:
    listed = run(home, "-h").output.partition("Exit status:")[2].split("\n")
    assert [int(line.split()[0]) for line in listed if line.strip()] == list(Exit)


@pytest.mark.parametrize(
    ("line", "status", "text"),
    [
        ("--create-topic", Exit.MISSING, "Missing argument 'TOPIC'"),
        ("--create-topic a --list-topics", Exit.CONTRADICTION, "--create-topic and --list-topics stand together"),
        ("--create-topic a/b", Exit.MISUSED, "a/b: no topic can have this name"),
        ("--create-topic a --partitions 0", Exit.MISUSED, "0 is not in the range x>=1"),
        ("--creat-topic a", Exit.MISUSED, "'--create-topic'"),
        ("starrt", Exit.MISUSED, "Did you mean 'start'?"),
        ("--list-topics extra", Exit.MISUSED, "unexpected extra argument (extra)"),
        ("--authentication", Exit.MISSING, "-u is missing: whose credentials?"),
        ("--authentication -u", Exit.MISSING, "'-u' requires an argument"),
        ("--authentication -u alice -p", Exit.MISSING, "'-p' requires an argument"),
        ("--authentication -u alice", Exit.MISSING, "A password is missing, and there is no terminal to ask for it"),
        ("--authentication -a -d -u alice", Exit.CONTRADICTION, "-a adds and -d deletes"),
        ("--authentication -u a -p - --password-file x", Exit.CONTRADICTION, "-p and --password-file: give one"),
        ("--authentication -u a --password-file /none", Exit.MISUSED, "/none: No such file or directory"),
        ("--authentication -d -u alice -o yaml", Exit.CONTRADICTION, "kubectl delete kafkauser alice"),
        ("--authorization -u alice -p -t t", Exit.MISSING, "-a or -d is missing"),
        ("--authorization -a -d -u alice -p -t t", Exit.CONTRADICTION, "-a adds and -d deletes"),
        ("--authorization -a -p -t t", Exit.MISSING, "-u is missing: whose permissions?"),
        ("--authorization -a -u alice -t t", Exit.MISSING, "-c GROUP or -p is missing"),
        ("--authorization -a -u alice -p", Exit.MISSING, "-t is missing: which topic?"),
        ("--authorization -a -u alice -p -t t -H localhost", Exit.MISUSED, "its host is no IP address"),
        ("--authorization -d -u alice -p -t t -o yaml", Exit.CONTRADICTION, "kubectl delete kafkaacl"),
        ("--list-topics", Exit.UNREACHABLE, "No Kafka runs here. Start one with fink_kafka start"),
        ("--list-acl -o csv", Exit.MISUSED, "'table', 'json', 'yaml'"),
        ("--list-acl --command-config /none", Exit.MISUSED, "'/none' does not exist"),
        ("start --brokers 10", Exit.MISUSED, "10 is not in the range 1<=x<=9"),
    ],
)
def test_what_is_wrong_is_said_and_has_its_status(home: Path, line: str, status: Exit, text: str) -> None:
    done = run(home, line)
    assert text in said(done)
    assert done.exit_code == status


@pytest.mark.parametrize(
    "options", ["--create-topic t -o yaml", "-o yaml --create-topic t", "-o yaml --create-topic=t"]
)
def test_a_service_may_stand_anywhere_among_its_options(home: Path, options: str) -> None:
    done = run(home, options)
    assert (done.exit_code, yaml.safe_load(done.output)["metadata"]["name"]) == (0, "t")


def test_an_options_value_is_no_service(home: Path) -> None:
    done = run(home, "--authentication -u start -p - -o yaml")
    assert (done.exit_code, yaml.safe_load(done.output)["metadata"]["name"]) == (0, "start")
    assert "Usage: fink_kafka start" in run(home, "--config stop start -h").output


def test_a_file_that_does_not_say_where_kafka_is(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "client.properties"
    file.write_text("security.protocol=PLAINTEXT\n")
    done = run(home, f"--list-topics --command-config {file}")
    assert (done.exit_code, "Give --bootstrap-server HOST:PORT" in said(done)) == (Exit.MISSING, True)
    file.write_text("security.protocol=SASL\n")
    assert run(home, f"--list-topics --command-config {file}").exit_code == Exit.CONFIGURATION


def manifest(done: Result) -> dict[str, object]:
    assert done.exit_code == 0, done.output
    body: dict[str, object] = yaml.safe_load(done.stdout)
    assert check(Document(Origin("-", 1), body)) == []
    return body


def test_manifests_say_what_the_options_say(home: Path) -> None:
    topic = manifest(run(home, "--create-topic fink_out --partitions 4 --replication-factor 3 -o yaml -n ztf"))
    assert topic["metadata"] == {"name": "fink-out", "namespace": "ztf"}
    assert topic["spec"] == {
        "topicName": "fink_out",
        "partitions": 4,
        "replicationFactor": 3,
        "adoptionPolicy": "Adopt",
    }
    user = manifest(run(home, "--authentication -a -u Alice -o yaml"))
    assert user["spec"] == {
        "userName": "Alice",
        "authentication": {"type": "ScramSha512"},
        "adoptionPolicy": "Adopt",
    }
    line = "--authorization -a -u Alice -H 192.0.2.1 -c readers -p -t fink_out -t fink_more -o yaml"
    acl = manifest(run(home, line))
    topics = [{"name": "fink_out"}, {"name": "fink_more"}]
    assert acl["spec"] == {
        "userRef": {"name": "alice"},
        "host": "192.0.2.1",
        "consumer": {"topics": topics, "group": {"name": "readers"}},
        "producer": {"topics": topics},
        "adoptionPolicy": "Adopt",
    }
    other = manifest(run(home, line.replace("-c readers", "-c others")))
    assert other["metadata"] != acl["metadata"], "one does not replace the other"


def test_a_password_is_not_printed_in_a_manifest(home: Path) -> None:
    done = run(home, "--authentication -u alice -p quite-secret -o yaml")
    assert "quite-secret" not in done.output
    assert "kubectl create secret generic alice-password --from-file=password=FILE" in done.output
    authentication = manifest(done)["spec"]["authentication"]  # type: ignore[index]
    assert authentication["passwordSecretRef"] == {"name": "alice-password"}


@pytest.mark.parametrize(
    ("stdin", "text"), [("", "is empty"), ("a\tb", "holds a control character"), (b"\xff", "is not UTF-8")]
)
def test_a_password_that_not_all_clients_can_use_is_refused(home: Path, stdin: str | bytes, text: str) -> None:
    done = run(home, "--authentication -u alice -p -", stdin)
    assert (done.exit_code, f"The password in standard input {text}" in said(done)) == (Exit.MISUSED, True)
    assert "Secret" not in done.output


def test_an_argument_with_a_password_is_warned_of(home: Path) -> None:
    done = run(home, "--authentication -u alice -p secret")
    assert "Warning: -p PASSWORD stands in the process list" in done.stderr
    assert "Warning" not in run(home, "--authentication -u alice -p -", "secret").output


def test_users_of_the_configuration_are_changed_there(home: Path) -> None:
    file = home / "fink.conf"
    configuration.generate(file, 1)
    for line in ("-u fink-producer -p -", "-d -u fink-consumer"):
        done = run(home, f"--authentication {line}", "secret")
        assert (done.exit_code, f"of {file}: change its password there" in said(done)) == (Exit.CONTRADICTION, True)
    assert "the brokers log in as this user" in said(run(home, "--authentication -d -u fink-admin"))


def test_start_makes_a_configuration_and_says_that_java_is_missing(home: Path) -> None:
    done = run(home, "start --brokers 2", JAVA_HOME="/none")
    file = home / "fink.conf"
    assert f"{file} made, with random passwords that only you can read." in done.output
    assert done.exit_code == Exit.TOOL
    assert "Java is missing: /none/bin/java: No such file or directory. Install Java 17 or newer" in said(done)
    assert file.stat().st_mode & 0o777 == 0o600
    assert len(configuration.read(file, home).servers) == 2
    again = run(home, "start --brokers 3", JAVA_HOME="/none")
    assert (again.exit_code, f"--brokers 3: {file} has 2." in said(again)) == (Exit.CONTRADICTION, True)


@pytest.fixture
def tools(tmp_path: Path) -> dict[str, str]:
    """A machine without Maven, whose Java is good for nothing but to say its version; the cache is empty."""
    script(tmp_path / "bin" / "java", 'test "$1" = -version && echo \'openjdk version "21.0.1"\' >&2')
    folder = str(tmp_path / "bin")
    return {"JAVA_HOME": str(tmp_path), "PATH": folder, "XDG_CACHE_HOME": str(tmp_path / "cache"), "KAFKA_HOME": ""}


def script(file: Path, line: str) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{line}\n")
    file.chmod(0o755)


def test_start_says_that_java_is_too_old(home: Path, tools: dict[str, str], tmp_path: Path) -> None:
    java = tmp_path / "bin" / "java"
    script(java, "echo 'openjdk version \"1.8.0_392\"' >&2")
    done = run(home, "start", **tools)
    assert (done.exit_code, f"{java} is Java 8, and Kafka and Spark need 17. Install" in said(done)) == (
        Exit.TOOL,
        True,
    )


def test_start_says_that_nothing_can_fetch_kafka(
    home: Path, tools: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run(home, "start", **tools)
    assert (done.exit_code, "Ivy could not fetch Kafka's jars" in said(done)) == (Exit.TOOL, True), "pyspark brings it"
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    done = run(home, "start", **tools)
    assert (done.exit_code, "there is no mvn on PATH, and no pyspark. Install Maven" in said(done)) == (Exit.TOOL, True)
    script(tmp_path / "bin" / "mvn", "echo no route to the mirror; exit 1")
    done = run(home, "start", **tools)
    assert done.exit_code == Exit.TOOL
    assert "Maven could not fetch Kafka's jars: no route to the mirror Where a mirror or proxy is needed" in said(done)
    assert not list((tmp_path / "cache").rglob("*.jar"))
    done = run(home, "start", **{**tools, "KAFKA_HOME": str(tmp_path)})
    assert (done.exit_code, f"KAFKA_HOME is {tmp_path}, and" in said(done)) == (Exit.TOOL, True)


def test_start_says_what_is_wrong_with_the_configuration(home: Path) -> None:
    home.mkdir()
    (home / "fink.conf").write_text("DISTRIBUTION_TOPIC=fink_outstream\n")
    done = run(home, "start")
    assert (done.exit_code, "DISTRIBUTION_SERVERS is missing; it is HOST:PORT" in said(done)) == (
        Exit.CONFIGURATION,
        True,
    )


def test_stopping_what_does_not_run_is_fine(home: Path) -> None:
    done = run(home, "stop")
    assert (done.exit_code, "No Kafka runs here" in done.output) == (0, True)


def test_lists_are_data_in_json_and_yaml_too(capsys: pytest.CaptureFixture[str]) -> None:
    from fink_distribution.cli.fink_kafka.output import print_table, show

    data = [{"name": "t", "partitions": 2}]
    for output, load in (("json", json.loads), ("yaml", yaml.safe_load)):
        show(data, output, lambda: None)
        assert load(capsys.readouterr().out) == data
    print_table(("TOPIC", "NOTE"), [("t" * 200, "\x1b[31mred")])
    assert capsys.readouterr().out.splitlines()[1] == f"{'t' * 200}  \\x1b[31mred", (
        "one line, and no colours of its own"
    )
