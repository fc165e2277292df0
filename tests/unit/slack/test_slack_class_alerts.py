"""`send_slack_alerts`: what people see in the channels."""

from __future__ import annotations

import logging
from pathlib import Path

import pandas as pd
import pytest
from slack_clock import Clock

from slack_example import COLUMNS, EBWUMA, ROWS, RRLYR
from slack_notifier import SlackClient, send_slack_alerts
from slack_notifier.replies import Outcome
from slack_server import Fault, SlackServer

ALERTS = pd.DataFrame(ROWS, columns=COLUMNS)


@pytest.fixture
def channels(slack: SlackServer) -> None:
    for name in ("rrlyr", "ebwuma", "unknown"):
        slack.channel(name)


def many(rows: int) -> pd.DataFrame:
    ids = [f"ZTF20a{number:06d}" for number in range(rows)]
    return pd.DataFrame({"objectId": ids, COLUMNS[2]: "RRLyr", "candidate_ra": 12.5, "candidate_dec": -13.25})


def ids_in(texts: list[str]) -> list[str]:
    return [line[1:13] for text in texts for line in text.splitlines() if line.startswith("|ZTF")]


@pytest.mark.usefixtures("channels")
def test_the_four_alerts_give_two_tables(slack: SlackServer, client: SlackClient) -> None:
    replies = send_slack_alerts(ALERTS, client=client)
    assert [(message.channel, message.text) for message in slack.messages] == [("#rrlyr", RRLYR), ("#ebwuma", EBWUMA)]
    assert {name: reply.ok for name, reply in replies.items()} == {"RRLyr": True, "EB*WUMa": True}


@pytest.mark.usefixtures("channels")
def test_only_listed_channels_get_alerts(slack: SlackServer, client: SlackClient, tmp_path: Path) -> None:
    listed = tmp_path / "channels"
    listed.write_text("#EBWUMa\n\nother\n")
    for channels in (["ebwuma"], listed, str(listed)):
        slack.messages.clear()
        assert list(send_slack_alerts(ALERTS, channels, client=client)) == ["EB*WUMa"]
        assert [message.channel for message in slack.messages] == ["#ebwuma"]
    assert send_slack_alerts(ALERTS, [], client=client) == {}


@pytest.mark.usefixtures("channels")
def test_a_long_table_comes_in_parts_at_slack_s_pace_and_whole(
    slack: SlackServer, client: SlackClient, clock: Clock
) -> None:
    slack.rate_clock = clock
    alerts = many(200)
    assert send_slack_alerts(alerts, client=client)["RRLyr"].ok
    texts = slack.texts("#rrlyr")
    assert ids_in(texts) == list(alerts["objectId"])
    assert len(texts) > 1
    assert max(map(len, texts)) <= 4000
    assert {(text[:4], text[-4:]) for text in texts} == {("```\n", "\n```")}
    assert slack.refused_for_rate == 0


@pytest.mark.usefixtures("channels")
def test_what_slack_finds_too_long_is_halved_until_it_fits(slack: SlackServer, client: SlackClient) -> None:
    slack.longest = 900
    alerts = many(30)
    assert send_slack_alerts(alerts, client=client)["RRLyr"].ok
    assert ids_in(slack.texts("#rrlyr")) == list(alerts["objectId"])
    slack.longest = 10
    assert send_slack_alerts(alerts, client=client)["RRLyr"].outcome is Outcome.TOO_LONG


@pytest.mark.usefixtures("channels")
def test_a_class_without_a_channel_is_logged_and_the_others_go_on(
    slack: SlackServer, client: SlackClient, caplog: pytest.LogCaptureFixture
) -> None:
    alerts = ALERTS.assign(cross_match_alerts_per_batch=["Seyfert_1", "EB*WUMa", None, "*"])
    with caplog.at_level(logging.WARNING):
        replies = send_slack_alerts(alerts, client=client)
    assert replies["Seyfert_1"].outcome is Outcome.NO_RECIPIENT
    assert "Nothing was sent to #seyfert: There is no channel #seyfert" in caplog.text
    assert "the class '*' has no letters" in caplog.text
    assert [message.channel for message in slack.messages] == ["#ebwuma"]


@pytest.mark.usefixtures("channels")
def test_a_refusal_is_returned_not_raised(slack: SlackServer, client: SlackClient) -> None:
    slack.standing["chat.postMessage"] = Fault(500)
    replies = send_slack_alerts(ALERTS, client=client)
    assert {reply.outcome for reply in replies.values()} == {Outcome.AWAY}


@pytest.mark.usefixtures("channels")
def test_cells_cannot_break_out_of_the_table(slack: SlackServer, client: SlackClient) -> None:
    alerts = ALERTS.head(1).assign(objectId="a```b\n<!channel>", candidate_ra=None)
    send_slack_alerts(alerts, client=client)
    (text,) = slack.texts("#rrlyr")
    assert "|a'''b &lt;!channel&gt;|null        |" in text
    assert text.count("```") == 2


def test_a_missing_column_is_named(client: SlackClient) -> None:
    with pytest.raises(ValueError, match=r"no column candidate_ra\. They have: objectId, candid"):
        send_slack_alerts(ALERTS.drop(columns="candidate_ra"), client=client)
