"""What the notifier answers over HTTP, and what it counts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from slack_clock import Clock
from slack_scene import Scene, alert, route

from job_settings.endpoints import PortError
from scraping import scraped
from slack_notifier.client import SlackClient
from slack_notifier.config import Slack
from slack_notifier.endpoints import serve
from slack_notifier.health import LONGEST_ROUND, Health
from slack_notifier.metrics import Metrics
from slack_notifier.notifier import Fate
from slack_notifier.poster import Poster
from slack_notifier.replies import Outcome, Reply
from slack_server import TOKEN, Fault, SlackServer
from testbed.ports import pick

PORT = pick("slack-endpoints")


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(["t-all", "t-sn"])


@pytest.fixture
def health(metrics: Metrics, clock: Clock) -> Iterator[Health]:
    health = Health(clock)
    with serve(PORT, metrics, health):
        yield health


def ask(path: str) -> tuple[int, str]:
    answer = requests.get(f"http://127.0.0.1:{PORT}{path}", timeout=10)
    return answer.status_code, answer.text


def test_it_is_ready_once_kafka_and_slack_let_it_in(health: Health) -> None:
    status, text = ask("/readyz")
    assert status == 503
    assert text.splitlines() == [
        "Kafka has not given the notifier its topics yet.",
        "Slack has not been asked yet whether it knows the token.",
    ]
    health.kafka(None)
    health.slack(Reply(Outcome.AWAY, "Slack does not answer"))
    assert ask("/readyz") == (200, "ok\n"), "that Slack is away is waited for"
    health.slack(Reply(Outcome.LOGIN, "token_revoked"))
    health.slack(Reply(Outcome.BUSY))
    assert ask("/readyz") == (503, "Slack refuses the app: token_revoked. Put a valid token into the token file.\n")
    health.slack(Reply(Outcome.NO_RECIPIENT))
    assert ask("/readyz")[0] == 200
    health.kafka("Kafka: not authorized")
    assert ask("/readyz") == (503, "Kafka: not authorized\n")
    assert ask("/")[0] == 404


def test_it_is_alive_while_it_does_its_rounds(health: Health, clock: Clock) -> None:
    clock.now += LONGEST_ROUND - 1
    assert ask("/healthz")[0] == 200
    clock.now += 2
    assert ask("/healthz")[0] == 503
    health.beat()
    assert ask("/healthz")[0] == 200


def test_a_port_that_is_taken_is_said(health: Health, metrics: Metrics) -> None:
    with (
        pytest.raises(PortError, match=rf"metrics\.port: {PORT} cannot be opened .* Give a port that is free"),
        serve(PORT, metrics, health),
    ):
        pass


def test_all_is_counted_from_the_start_and_no_name_is_told(health: Health, metrics: Metrics) -> None:
    metrics.read("t-sn", 3)
    metrics.skipped("t-sn")
    metrics.came_of(Fate.SHOWN, 2)
    metrics.attempt(Outcome.ACCEPTED, 0.3)
    metrics.state(5, 2, {"t-sn": 7})
    found = scraped(PORT)
    assert found['fink_slack_alerts_read_total{topic="t-sn"}'] == 3
    assert found['fink_slack_alerts_read_total{topic="t-all"}'] == 0
    assert found['fink_slack_messages_skipped_total{topic="t-sn"}'] == 1
    assert {name: value for name, value in found.items() if name.startswith("fink_slack_alerts_total")} == {
        f'fink_slack_alerts_total{{fate="{fate}"}}': 2 if fate == "shown" else 0 for fate in Fate
    }
    assert found['fink_slack_messages_total{outcome="accepted"}'] == 1
    assert found['fink_slack_messages_total{outcome="login"}'] == 0
    assert found["fink_slack_message_duration_seconds_count"] == 1
    assert found["fink_slack_waiting_alerts"] == 5
    assert found["fink_slack_waiting_recipients"] == 2
    assert found['fink_slack_consumer_lag_messages{topic="t-sn"}'] == 7
    assert found["process_resident_memory_bytes"] > 0


def test_what_becomes_of_alerts_is_told_once_it_is_settled(
    slack: SlackServer, client: SlackClient, clock: Clock
) -> None:
    slack.channel("alerts")
    scene = Scene(client, clock, route(), route(None), limit=2)
    scene.come(alert(1), alert(2), alert(3), alert(1))
    # For #alerts two to show, one to count, one repeated; for #rrlyr, which there is not, the same.
    assert scene.notifier.waiting() == (8, 2)
    slack.standing["chat.postMessage"] = Fault(503)
    scene.wait(61)
    assert (scene.notifier.waiting(), scene.fates) == ((4, 1), {"dropped": 4})
    del slack.standing["chat.postMessage"]
    scene.wait(61)
    assert scene.notifier.waiting() == (0, 0)
    assert scene.fates == {"dropped": 4, "shown": 2, "counted": 1, "repeated": 1}


def test_a_wrong_token_is_seen_before_the_first_alert_and_a_good_one_is_asked_about_once(
    slack: SlackServer, metrics: Metrics, clock: Clock, tmp_path_factory: pytest.TempPathFactory
) -> None:
    file = tmp_path_factory.mktemp("slack") / "token"
    health = Health(clock)
    health.kafka(None)
    poster = Poster(Slack(file, slack.url, 1.0), health, metrics)
    poster.check(clock.now)
    assert "The token file cannot be read" in health.problems[0]
    file.write_text("xoxb-wrong")
    poster.check(clock.now)
    assert slack.calls["auth.test"] == 0, "once a minute"
    clock.now += 61
    poster.check(clock.now)
    assert "invalid_auth" in health.problems[0]
    file.write_text(TOKEN)
    for _ in range(3):
        clock.now += 61
        poster.check(clock.now)
    assert (health.problems, slack.calls["auth.test"]) == ([], 2)
