"""What became of a message: Slack's many errors as the few things that one can do about them."""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from enum import StrEnum

from slack_sdk.errors import SlackApiError, SlackClientError

HTTP_TOO_MANY = 429
HTTP_SERVER = 500


class Outcome(StrEnum):
    """What Slack's answer means for the sender."""

    ACCEPTED = "accepted"
    BUSY = "busy"  # Slack asks for patience: again after `retry_after`
    AWAY = "away"  # Slack does not answer, or says that it is broken: again later
    LOGIN = "login"  # the token is refused: a person must mend it
    NO_RECIPIENT = "no recipient"  # no channel or person of that name
    REFUSED = "refused"  # this recipient, or this message, is refused: a person must mend it
    TOO_LONG = "too long"
    BAD_BLOCKS = "bad blocks"  # the layout is refused; the plain text may not be


NO_ANSWER = (Outcome.AWAY, Outcome.BUSY)
"""What says nothing about the token, the recipient or the message."""


@dataclass(frozen=True)
class Reply:
    """`error` is Slack's word or a sentence; `retry_after` is in seconds; `ts` identifies the message in `channel`."""

    outcome: Outcome
    error: str = ""
    retry_after: float | None = None
    channel: str = ""
    ts: str = ""

    @property
    def ok(self) -> bool:
        """Whether the message is in Slack."""
        return self.outcome is Outcome.ACCEPTED


_MEANINGS = {
    **dict.fromkeys(("ratelimited", "rate_limited", "message_limit_exceeded"), Outcome.BUSY),
    **dict.fromkeys(("internal_error", "fatal_error", "service_unavailable", "request_timeout"), Outcome.AWAY),
    **dict.fromkeys(
        ("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "missing_scope"),
        Outcome.LOGIN,
    ),
    "channel_not_found": Outcome.NO_RECIPIENT,
    "user_not_found": Outcome.NO_RECIPIENT,
    "msg_too_long": Outcome.TOO_LONG,
    "msg_blocks_too_long": Outcome.TOO_LONG,
    "invalid_blocks": Outcome.BAD_BLOCKS,
    "invalid_blocks_format": Outcome.BAD_BLOCKS,
}

CURES = {
    "not_in_channel": "Invite the app into the channel (/invite), or give it the scope chat:write.public.",
    "is_archived": "Unarchive the channel, or send elsewhere.",
    "missing_scope": "Give the app the scopes chat:write, channels:read and users:read (groups:read for private channels).",
    **dict.fromkeys(
        ("invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"),
        "Put a valid token into the token file.",
    ),
}


def said(error: str) -> str:
    """Slack's word with what one can do about it."""
    return f"{error}. {CURES[error]}" if error in CURES else error


# What can end a call of slack_sdk: its own errors, and those of urllib, sockets and JSON, which it lets through.
FAILURES: tuple[type[Exception], ...] = (SlackClientError, OSError, http.client.HTTPException, ValueError)


def failed(error: Exception) -> Reply:
    """What one of FAILURES means."""
    if not isinstance(error, SlackApiError):
        return Reply(Outcome.AWAY, f"Slack does not answer ({type(error).__name__}: {error})")
    response = error.response
    if response.status_code == HTTP_TOO_MANY:
        return Reply(Outcome.BUSY, "ratelimited", retry_after=_retry_after(response.headers))
    if response.status_code >= HTTP_SERVER:
        return Reply(Outcome.AWAY, f"Slack answers with HTTP status {response.status_code}")
    word = str(response.get("error") or f"HTTP status {response.status_code}")
    if word.startswith("Received a response in a non-JSON format"):
        return Reply(Outcome.AWAY, "Slack answers with something that is not JSON")
    return Reply(_MEANINGS.get(word, Outcome.REFUSED), word)


def _retry_after(headers: dict[str, str]) -> float | None:
    found = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return float(found) if found.isdecimal() else None
