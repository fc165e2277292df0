"""The commands: how they end when called wrongly, what --help teaches, what a plan looks like."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence

import pytest
from click.testing import CliRunner
from rich.console import Console

from fink_distribution.cli.main import main
from fink_distribution.cli.rendering import Report, as_json, print_diff
from fink_distribution.errors import Reason, Stalled
from fink_distribution.manifests.differences import Difference, Step
from fink_distribution.manifests.ledgers import Source
from fink_distribution.manifests.planning import PlannedResource
from fink_distribution.manifests.problems import Origin
from fink_distribution.resources.keys import Key, Kind
from fink_distribution.resources.modes import Mode

TOPIC = Key(Kind.ALERT_TOPIC, "ns", "t")
STEP = Step("~", "topic t: retention.ms=2", (Difference("config.retention.ms", "1", "2"),))
PROBLEM = Stalled(Reason.CONFLICT, "it is \x1b[31mnobody's")


def planned(**changed: object) -> PlannedResource:
    known = {"key": TOPIC, "target": "topic t", "mode": Mode.ENFORCE, "existed": True}
    return PlannedResource(**{**known, **changed})  # type: ignore[arg-type]


def report(*resources: PlannedResource) -> Report:
    return Report("cluster", "kafka:9092", Source.ASSUMED, resources, {TOPIC: Origin("t.yaml", 1)}, ["a note"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["plam"], "Did you mean 'plan'?"),
        (["plan"], "Missing option '-f'"),
        (["plan", "-f", "x", "--frist-apply"], "--first-apply"),
        (["plan", "-f", "x", "--first-apply", "--applied", "y"], "contradict each other"),
        (["plan", "-f", "no-such-file"], "there is no such file or folder"),
        (["export"], "Nothing says where Kafka is. Give --bootstrap-server HOST:PORT"),
        (["export", "--command-config", "no-such-file"], "does not exist"),
        (["schema", "shwo", "t"], "Did you mean 'show'?"),
        (["schema", "show"], "Missing argument 'TOPIC'"),
        (["schema", "show", "t"], "Nothing says where Kafka is. Give --bootstrap-server HOST:PORT"),
    ],
)
def test_called_wrongly_a_command_ends_with_1_since_2_means_changes(arguments: Sequence[str], said: str) -> None:
    done = CliRunner(env={"FINK_KAFKA_CONFIG": None}).invoke(main, arguments)
    assert done.exit_code == 1
    assert said in " ".join(done.output.split())


@pytest.mark.parametrize("command", ["plan", "export", "schema show"])
def test_help_teaches_by_examples_and_says_how_it_ends(command: str) -> None:
    done = CliRunner().invoke(main, [*command.split(), "--help"])
    assert done.exit_code == 0
    for part in ("Examples:", f"fink {command}", "Exit status:", "--command-config FILE", "FINK_KAFKA_CONFIG"):
        assert part in done.output


def test_the_shape_of_json_is_the_documented_one() -> None:
    found = as_json(report(planned(steps=(STEP,)), planned(problem=PROBLEM)))
    assert json.loads(json.dumps(found)) == {
        "version": 1,
        "kafka": {"clusterId": "cluster", "bootstrapServers": "kafka:9092"},
        "ledger": "assumed",
        "summary": {
            "create": 0,
            "change": 1,
            "delete": 0,
            "none": 0,
            "observed": 0,
            "refused": 1,
            "problems": 1,
        },
        "resources": [
            {
                "kind": "AlertTopic",
                "namespace": "ns",
                "name": "t",
                "target": "topic t",
                "mode": "Enforce",
                "action": "change",
                "origin": {"file": "t.yaml", "document": 1, "item": None},
                "changes": [
                    {
                        "text": "topic t: retention.ms=2",
                        "fields": [{"field": "config.retention.ms", "before": "1", "after": "2"}],
                    }
                ],
                "problem": None,
            },
            {
                "kind": "AlertTopic",
                "namespace": "ns",
                "name": "t",
                "target": "topic t",
                "mode": "Enforce",
                "action": "refused",
                "origin": {"file": "t.yaml", "document": 1, "item": None},
                "changes": [],
                "problem": {"reason": "Conflict", "message": PROBLEM.message},
            },
        ],
        "notes": ["a note"],
    }


def printed(report: Report, *, terminal: bool, environment: dict[str, str] | None = None) -> str:
    file = io.StringIO()
    console = Console(
        file=file,
        force_terminal=terminal,
        highlight=False,
        soft_wrap=True,
        _environ={"TERM": "xterm", **(environment or {})},
    )
    print_diff(console, report)
    return file.getvalue()


def test_colours_are_for_terminals_and_names_cannot_bring_their_own() -> None:
    one = report(planned(steps=(STEP,)), planned(problem=PROBLEM))
    assert "\x1b[33m  ~ config.retention.ms: 1 -> 2\x1b[0m" in printed(one, terminal=True)
    assert "\x1b[31m" not in printed(one, terminal=True)
    assert "\x1b[33m" not in printed(one, terminal=True, environment={"NO_COLOR": "1"})
    plain = printed(one, terminal=False)
    assert "\x1b" not in plain
    assert plain.splitlines() == [
        "AlertTopic ns/t: topic t  [t.yaml, document 1]",
        "  ~ config.retention.ms: 1 -> 2",
        "",
        "AlertTopic ns/t: topic t  [t.yaml, document 1]",
        r"  ! Conflict: it is \x1b[31mnobody's",
        "",
        "Plan: 1 to change, 0 as declared, 1 that cannot be done.",
        "Note: a note",
    ]


@pytest.mark.parametrize(
    ("resource", "changes", "problems"),
    [
        (planned(), False, False),
        (planned(steps=(STEP,)), True, False),
        (planned(steps=(STEP,), mode=Mode.PLAN), False, False),
        (planned(steps=(STEP,), problem=PROBLEM), True, True),
    ],
)
def test_what_counts_as_a_change(resource: PlannedResource, changes: bool, problems: bool) -> None:
    found = report(resource)
    assert (found.has_changes, found.has_problems) == (changes, problems)
