"""`fink start`: its helps, what it says before a job runs, and how it ends then."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from fink_distribution.cli.main import main
from fink_distribution.local_jobs import programs
from fink_distribution.local_kafka.configuration import generate
from fink_distribution.manifests.problems import Origin
from fink_distribution.manifests.reading import Document
from fink_distribution.manifests.schemas import check

TOKEN = "xoxb-1234-5678-verysecret"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    generate(tmp_path / "fink.conf", 1)
    return tmp_path


def run(home: Path, line: str, **environment: str) -> Result:
    variables = {"FINK_HOME": str(home), **environment}
    return CliRunner(env=variables).invoke(main, ["start", *shlex.split(line)], prog_name="fink")


def said(done: Result) -> str:
    return " ".join(done.output.split())


def add(home: Path, *lines: str) -> None:
    with (home / "fink.conf").open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ("-h", ["distribution ", "distribution_test ", "slack ", "fink_kafka start"]),
        ("distribution -h", ["-c, --config FILE", "--check", "SCIENCE_DATABASE", "only while the checkpoint is new"]),
        ("distribution_test -h", ["--columns NAME[,...]", "--interval", "--from [earliest|latest]"]),
        ("slack -h", ["SLACK_API_TOKEN", "SLACK_CHANNELS", "-c, --config FILE"]),
    ],
)
def test_each_command_has_its_help(home: Path, line: str, parts: list[str]) -> None:
    done = run(home, line)
    assert done.exit_code == 0
    for part in [*parts, "Exit status:"]:
        assert part in " ".join(done.output.split()) or part in done.output


@pytest.mark.parametrize("job", ["distribution", "distribution_test", "slack"])
def test_a_check_says_what_would_run_and_starts_nothing(home: Path, job: str) -> None:
    add(home, f"SLACK_API_TOKEN={TOKEN}", "SLACK_CHANNELS=rrlyr,ebwuma")
    done = run(home, f"{job} --check")
    assert done.exit_code == 0, done.output
    assert f"{home}/fink.conf: good: " in done.output
    assert "at 127.0.0.1:9093 as fink-" in done.output
    assert TOKEN not in done.output
    assert [path.name for path in home.iterdir()] == ["fink.conf"]


def test_what_the_job_would_refuse_is_an_error_of_the_configuration(home: Path) -> None:
    add(home, "DISTRIBUTION_COLUMNS=candid,candid")
    done = run(home, "distribution --check")
    assert (done.exit_code, "outputs[0].select" in said(done)) == (2, True)


@pytest.mark.parametrize("job", ["distribution", "distribution_test", "slack"])
def test_a_configuration_that_is_not_there(home: Path, job: str) -> None:
    done = run(home, f"{job} -c {home}/other.conf")
    assert done.exit_code == 2
    assert f"{home}/other.conf is not there. fink_kafka start makes one" in said(done)


def test_a_token_that_is_missing_is_said_with_what_to_do(home: Path) -> None:
    done = run(home, "slack")
    assert done.exit_code == 2
    assert "SLACK_API_TOKEN is missing; it is the token of an app of your workspace" in said(done)
    assert "https://api.slack.com/apps" in said(done)


@pytest.mark.parametrize(
    ("job", "package"), [("distribution", "pyspark"), ("distribution_test", "pyspark"), ("slack", "slack_sdk")]
)
@pytest.mark.parametrize("option", ["", "--check"])
def test_packages_that_are_missing_are_said_with_the_command(
    home: Path, monkeypatch: pytest.MonkeyPatch, job: str, package: str, option: str
) -> None:
    add(home, f"SLACK_API_TOKEN={TOKEN}")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == package else name)
    done = run(home, f"{job} {option}")
    assert (done.exit_code, f"{package} is not installed: pip install '.[jobs]'" in said(done)) == (3, True)


@pytest.mark.parametrize("job", ["distribution", "distribution_test"])
def test_java_that_is_missing_is_said(home: Path, job: str) -> None:
    for option in ("", "--check"):
        done = run(home, f"{job} {option}", JAVA_HOME="/none")
        assert (done.exit_code, "Java is missing: /none/bin/java" in said(done)) == (3, True)


def test_connectors_that_cannot_be_fetched_are_said(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, line in (
        ("java", "echo 'openjdk version \"21.0.1\"' >&2"),
        ("mvn", "echo no route to the mirror; exit 1"),
    ):
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    tools = {"JAVA_HOME": str(tmp_path), "PATH": str(folder), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = run(home, "distribution", **tools)
    assert done.exit_code == 3
    assert "Maven could not fetch Spark's connectors: no route to the mirror" in said(done)
    assert not list((tmp_path / "cache").rglob("*.jar"))


def test_the_notifier_is_told_where_the_token_is_and_not_the_token(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(home, f"SLACK_API_TOKEN={TOKEN}", "SLACK_CHANNEL=alerts")
    told: list[list[str]] = []
    monkeypatch.setattr(programs, "become", lambda program, arguments: told.append([program, *arguments]))
    done = run(home, "slack")
    assert done.exit_code == 0, done.output
    folder = home / "jobs" / "slack" / "fink-slack"
    assert told == [["slack_notifier", "--config", str(folder / "job.json")]]
    document = json.loads((folder / "job.json").read_text())
    assert document["slack"] == {"tokenFile": str(home / "fink.conf")}
    assert document["routes"] == [{"topics": ["fink_outstream"], "to": "#alerts"}]
    assert not [file for file in folder.rglob("*") if file.is_file() and TOKEN in file.read_text()]
    assert TOKEN not in done.output


def test_an_offset_that_does_not_count_any_more_is_said(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(programs, "become", lambda program, arguments: None)
    monkeypatch.setattr("fink_distribution.local_kafka.jars.fetched", lambda jars, java, say: tmp_path)
    add(home, "DISTRIBUTION_OFFSET=latest")
    sentence = "DISTRIBUTION_OFFSET counts only while the checkpoint is new"
    assert sentence not in said(run(home, "distribution"))
    checkpoint = home / "checkpoints" / "distribution"
    checkpoint.mkdir(parents=True)
    (checkpoint / "beginning.json").write_text("{}")
    assert sentence in said(run(home, "distribution"))


def test_the_manifests_pass_the_checks_of_their_kinds(home: Path) -> None:
    add(home, "DISTRIBUTION_FILTER=\"cdsxmatch = 'Unknown'\"", "DISTRIBUTION_OFFSET=1769896800")
    done = run(home, "distribution -o yaml -n ztf")
    assert done.exit_code == 0, done.output
    topic, stream = yaml.safe_load_all(done.stdout)
    assert [check(Document(Origin("-", 1), body)) for body in (topic, stream)] == [[], []]
    assert (topic["kind"], topic["spec"]["topicName"]) == ("AlertTopic", "fink_outstream")
    assert stream["spec"]["source"]["startingFrom"] == "2026-01-31T22:00:00Z"
    (output,) = stream["spec"]["outputs"]
    assert (output["topicRef"]["name"], output["filter"]) == (
        topic["metadata"]["name"],
        {"sql": "cdsxmatch = 'Unknown'"},
    )
    assert f"science, which holds what lies in {home}/science" in done.stdout
