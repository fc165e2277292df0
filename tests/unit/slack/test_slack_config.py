from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from slack_documents import DOCUMENT, changed

from job_settings.documents import ConfigError
from slack_notifier import config
from slack_notifier.alert_rows import Fields
from slack_notifier.cli import main
from slack_notifier.routes import Condition, Route

REPOSITORY = Path(__file__).resolve().parents[3]
SCHEMA = json.loads((REPOSITORY / "schemas" / config.SCHEMA_FILE).read_text())


def test_the_packaged_schema_is_the_repository_s() -> None:
    assert config.schema() == SCHEMA


def test_the_way_to_kafka_is_said_as_to_the_distribution_job() -> None:
    job = json.loads((REPOSITORY / "schemas" / "stream-job.schema.json").read_text())["properties"]["kafka"]
    ours = SCHEMA["properties"]["kafka"]
    for part in (job, ours):
        del part["properties"]["credentialsDirectory"]["description"]
    assert ours == job


def test_a_good_document_and_its_defaults() -> None:
    parsed = config.parse(DOCUMENT)
    assert parsed.slack == config.Slack(Path("/slack/token"), "https://slack.com/api/", 1.0)
    assert (parsed.group, parsed.starting_from, parsed.once_a_night) == ("slack-notifier", "Latest", True)
    assert parsed.topics == ["t-all", "t-sn"]
    assert parsed.fields == Fields()
    condition = Condition("candidate.magpsf", "<", 18)
    assert parsed.routes == (
        Route(frozenset({"t-sn"}), 60.0, recipient="#sn", conditions=(condition,)),
        Route(frozenset({"t-all"}), 60.0, channels=frozenset({"#rrlyr"})),
    )


def test_the_defaults_are_those_that_the_schema_tells() -> None:
    parsed = config.parse(DOCUMENT)
    told = SCHEMA["properties"]
    digest = told["digest"]["properties"]
    assert (parsed.portal, parsed.starting_from) == (told["portal"]["default"], told["startingFrom"]["default"])
    assert (parsed.max_alerts, parsed.night_begins) == (
        digest["maxAlerts"]["default"],
        told["nightBeginsAtHour"]["default"],
    )
    assert parsed.routes[0].interval == digest["intervalSeconds"]["default"]
    slack = told["slack"]["properties"]
    assert (parsed.slack.url, parsed.slack.rate) == (slack["url"]["default"], slack["messagesPerSecond"]["default"])


def test_everything_can_be_set() -> None:
    route = {"topics": ["t"], "classes": ["SN"], "to": "Bob", "intervalSeconds": 0, "threads": True}
    parsed = config.parse(
        changed(
            portal="https://lsst.fink-portal.org/",
            digest={"intervalSeconds": 5, "maxAlerts": 7},
            repeats="Show",
            startingFrom="Earliest",
            nightBeginsAtHour=12,
            fields={"objectId": ["id"], "class": ["kind"], "ra": ["x.ra"]},
            metrics={"port": 9090},
            routes=[route, {"topics": ["t"], "toChannelOfClass": {}}],
        )
    )
    assert parsed.routes[0] == Route(frozenset({"t"}), 0.0, "Bob", classes=frozenset({"SN"}), threads=True)
    assert parsed.routes[1] == Route(frozenset({"t"}), 5.0)
    assert (parsed.max_alerts, parsed.once_a_night, parsed.night_begins) == (7, False, 12.0)
    assert parsed.metrics_port == 9090
    assert (parsed.fields.object_id, parsed.fields.class_name, parsed.fields.ra) == (("id",), ("kind",), ("x.ra",))
    assert parsed.fields.dec == Fields().dec


def test_the_example_of_the_documentation_is_good() -> None:
    page = (REPOSITORY / "docs" / "slack.md").read_text()
    example, _of_kubernetes = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(config.parse(yaml.safe_load(example)).routes) == 3


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"group": ...}, "the document: lacks group"),
        ({"slack": {"token": "xoxb-1"}}, "slack: token is not known here. Allowed: tokenFile, url"),
        ({"portal": "ftp://x/"}, "portal"),
        ({"portal": "https://x/|y>"}, "portal"),
        ({"routes": [{"topics": ["t"]}]}, "routes[0]: has to and toChannelOfClass, or neither"),
        ({"routes": [{"topics": ["t"], "to": "#a", "toChannelOfClass": {}}]}, "routes[0]: has to and toChannelOfClass"),
        ({"routes": [{"topics": ["^t.*"], "to": "#a"}]}, "routes[0].topics[0]"),
        (
            {"routes": [{"topics": ["t"], "to": "#a", "where": [{"field": "x", "operator": "in", "value": 1}]}]},
            "routes[0].where[0].value: in takes a list",
        ),
        (
            {"routes": [{"topics": ["t"], "to": "#a", "where": [{"field": "x", "operator": "~", "value": 1}]}]},
            'routes[0].where[0].operator: "~" is not allowed. Allowed: <, <=',
        ),
        ({"kafka": {"bootstrapServers": "b:1", "securityProtocol": "SASL_SSL"}}, "kafka.saslMechanism: SASL_SSL needs"),
    ],
)
def test_what_is_wrong_is_said_with_its_field(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.parse(changed(**more))
    problems = "\n".join(caught.value.problems)
    assert said in problems
    assert "xoxb" not in problems


@pytest.mark.parametrize(
    ("name", "text", "status", "said"),
    [
        ("slack.json", json.dumps(DOCUMENT), 0, "good, 2 routes from 2 topics"),
        ("slack.yaml", yaml.safe_dump(DOCUMENT), 0, "good, 2 routes from 2 topics"),
        ("slack.yaml", "routes: [", 2, "is not YAML"),
        ("slack.json", "{,", 2, "is not JSON"),
        ("slack.yaml", "", 2, "error: the document"),
        ("slack.yaml", None, 2, "cannot be read"),
    ],
)
def test_check_says_whether_the_file_can_be_used(
    tmp_path: Path, name: str, text: str | None, status: int, said: str
) -> None:
    file = tmp_path / name
    if text is not None:
        file.write_text(text)
    done = CliRunner().invoke(main, ["--config", str(file), "--check"])
    assert (done.exit_code, said in done.output) == (status, True), done.output
