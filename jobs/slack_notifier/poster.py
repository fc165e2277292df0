"""The way to Slack, with the token as its file has it when Slack is asked first, and after Slack has refused it."""

from __future__ import annotations

import logging
import time

from slack_notifier import api_token
from slack_notifier.client import SlackClient
from slack_notifier.config import Slack
from slack_notifier.health import Health
from slack_notifier.metrics import Metrics
from slack_notifier.notifier import LONGEST_PAUSE, Post
from slack_notifier.replies import NO_ANSWER, Outcome, Reply, said

LOG = logging.getLogger(__name__)


class Poster:
    """Sends one message at a time. Never raises for what Slack does."""

    def __init__(self, slack: Slack, health: Health, metrics: Metrics) -> None:
        self._slack = slack
        self._health = health
        self._metrics = metrics
        self._client: SlackClient | None = None
        self._knows_us = False
        self._check_at = float("-inf")

    def check(self, now: float) -> None:
        """Ask Slack whether it knows the token, once a minute until it does: a wrong one is to be seen before the night's first alert."""
        if self._knows_us or now < self._check_at:
            return
        self._check_at = now + LONGEST_PAUSE
        client = self._connected()
        reply = self._noted(client.check() if isinstance(client, SlackClient) else client)
        if reply.outcome is Outcome.LOGIN:
            LOG.error("Slack refuses the app: %s (again in %.0f s)", said(reply.error), LONGEST_PAUSE)
        elif not reply.ok:
            LOG.warning(
                "Slack does not say whether it knows the token: %s (again in %.0f s)", reply.error, LONGEST_PAUSE
            )

    def post(self, post: Post) -> Reply:
        """One attempt."""
        client = self._connected()
        if isinstance(client, Reply):
            return self._noted(client)
        began = time.monotonic()
        reply = client.post(post.recipient, post.text, post.blocks, post.thread_ts)
        self._metrics.attempt(reply.outcome, time.monotonic() - began)
        return self._noted(reply)

    def _connected(self) -> SlackClient | Reply:
        """The client, or what is wrong with the token."""
        if self._client is None:
            try:
                self._client = SlackClient(api_token.read(self._slack.token_file), url=self._slack.url)
            except api_token.TokenError as error:
                return Reply(Outcome.LOGIN, str(error))
        return self._client

    def _noted(self, reply: Reply) -> Reply:
        self._health.slack(reply)
        if reply.outcome is Outcome.LOGIN:
            self._client, self._knows_us = None, False
        elif reply.outcome not in NO_ANSWER:
            self._knows_us = True
        return reply
