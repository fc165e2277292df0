"""A client of Slack that knows channels and people by name, keeps to Slack's pace, and never raises for what Slack does."""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from slack_sdk import WebClient
from slack_sdk.http_retry.builtin_handlers import (
    ConnectionErrorRetryHandler,
    RateLimitErrorRetryHandler,
    ServerErrorRetryHandler,
)
from slack_sdk.http_retry.handler import RetryHandler

from slack_notifier import api_token
from slack_notifier.replies import FAILURES, Outcome, Reply, failed, said
from slack_notifier.token_bucket import TokenBucket
from slack_notifier.workspace import UnknownRecipientError, Workspace

LOG = logging.getLogger(__name__)
SLACK_URL = WebClient.BASE_URL
TIMEOUT_SECONDS = 30
RETRIES = 3  # of one call, whatever the failures are
_STALE = ("channel_not_found", "is_archived", "user_not_found")  # what says that a list which was kept is out of date


class SlackClient:
    """Sends messages to `#channel` or to a person by name."""

    def __init__(
        self,
        token: str,
        *,
        url: str = SLACK_URL,
        retries: Sequence[RetryHandler] = (),
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        """`retries` are slack_sdk's; without them, each call is one attempt."""
        self._web = WebClient(token, base_url=url, timeout=TIMEOUT_SECONDS, retry_handlers=list(retries))
        self._workspace = Workspace(self._web, clock)
        self._clock = clock
        self._sleep = sleep
        self._buckets: dict[str, TokenBucket] = defaultdict(TokenBucket)

    def send_message(self, recipient: str, text: str) -> Reply:
        """Send a text, after the pause that Slack wants between two messages to one recipient.

        What goes wrong is logged and returned, never raised: look at `ok` and `error` of the reply.

        Parameters
        ----------
        recipient
            `#channel`, or a person's real name or display name.
        text
            In Slack's mrkdwn.
        """
        bucket = self._buckets[recipient]
        pause = bucket.ready_at(self._clock()) - self._clock()
        if pause > 0:
            self._sleep(pause)
        bucket.take(self._clock())
        reply = self.post(recipient, text)
        if not reply.ok:
            LOG.warning("Nothing was sent to %s: %s", recipient, said(reply.error))
        return reply

    def post(
        self, recipient: str, text: str, blocks: Sequence[dict[str, Any]] = (), thread_ts: str | None = None
    ) -> Reply:
        """Send one message now, without a log line; `text` is also what notifications show of `blocks`. Never raises for what Slack does."""
        layout: dict[str, Any] = (
            {"blocks": list(blocks), "unfurl_links": False, "unfurl_media": False} if blocks else {}
        )
        try:
            channel = self._workspace.find(recipient)
            response = self._web.chat_postMessage(channel=channel, text=text, thread_ts=thread_ts, **layout)
        except UnknownRecipientError as error:
            return Reply(Outcome.NO_RECIPIENT, str(error))
        except FAILURES as error:
            reply = failed(error)
            if reply.error in _STALE:
                self._workspace.forget()
            return reply
        return Reply(Outcome.ACCEPTED, channel=str(response["channel"]), ts=str(response["ts"]))

    def check(self) -> Reply:
        """Ask Slack whether it knows the token."""
        try:
            self._web.auth_test()
        except FAILURES as error:
            return failed(error)
        return Reply(Outcome.ACCEPTED)


def get_slack_client(token: str | None = None, url: str = SLACK_URL) -> SlackClient:
    """A client for scripts: it waits and tries again by itself where Slack asks for it.

    Parameters
    ----------
    token
        Without it: that of the file SLACK_API_TOKEN_FILE, else of the variable SLACK_API_TOKEN.
    url
        Where Slack's API is.

    Raises
    ------
    slack_notifier.api_token.TokenError
        There is no token, or Slack refuses it. That Slack does not answer is logged only.
    """
    handlers = (ConnectionErrorRetryHandler, RateLimitErrorRetryHandler, ServerErrorRetryHandler)
    retries = [handler(max_retry_count=RETRIES) for handler in handlers]
    client = SlackClient(api_token.find() if token is None else token, url=url, retries=retries)
    reply = client.check()
    if reply.outcome is Outcome.LOGIN:
        raise api_token.TokenError(f"Slack refuses the token: {said(reply.error)}")
    if not reply.ok:
        LOG.warning("Slack could not be asked whether it knows the token: %s", said(reply.error))
    return client
