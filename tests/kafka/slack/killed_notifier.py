"""The notifier, killed when Slack has accepted its first message, before Kafka is told."""

from __future__ import annotations

import os
import signal
from typing import Any

from slack_notifier.cli import main
from slack_notifier.client import SlackClient

_post = SlackClient.post


def post(self: SlackClient, *args: Any, **named: Any) -> Any:
    reply = _post(self, *args, **named)
    if reply.ok:
        os.kill(os.getpid(), signal.SIGKILL)
    return reply


SlackClient.post = post  # type: ignore[method-assign]
if __name__ == "__main__":
    main()
