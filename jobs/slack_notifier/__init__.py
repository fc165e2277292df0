"""Alerts and messages to Slack: a client and `send_slack_alerts` for scripts, and a notifier that reads Kafka's alert topics.

The notifier is told what to do by one document (`schemas/slack-notifier.schema.json`). Run it with
`python -m slack_notifier --config FILE`.
"""

from slack_notifier.class_alerts import send_slack_alerts
from slack_notifier.client import SlackClient, get_slack_client

__all__ = ["SlackClient", "get_slack_client", "send_slack_alerts"]
