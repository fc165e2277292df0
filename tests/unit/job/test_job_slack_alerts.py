"""`send_slack_alerts` on a DataFrame of real Spark."""

from __future__ import annotations

from pyspark.sql import SparkSession

from slack_example import COLUMNS, EBWUMA, ROWS, RRLYR
from slack_notifier import SlackClient, send_slack_alerts
from slack_server import TOKEN, slack_server


def test_a_table_of_spark_s_gives_the_same_messages_as_one_of_pandas(spark: SparkSession) -> None:
    alerts = spark.createDataFrame([*ROWS, ("ZTF", 1, None, 1, 1.0, 1.0)], COLUMNS)
    with slack_server() as slack:
        for name in ("rrlyr", "ebwuma", "unknown"):
            slack.channel(name)
        replies = send_slack_alerts(alerts, client=SlackClient(TOKEN, url=slack.url))
        assert [(message.channel, message.text) for message in slack.messages] == [
            ("#rrlyr", RRLYR),
            ("#ebwuma", EBWUMA),
        ]
    assert all(reply.ok for reply in replies.values())
