"""A table of alerts to Slack: one message a class, to the channel of its name."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from slack_notifier import channel_names
from slack_notifier.client import SlackClient, get_slack_client
from slack_notifier.replies import Outcome, Reply
from slack_notifier.tables import halved, tables

LOG = logging.getLogger(__name__)
CLASS_COLUMN = "cross_match_alerts_per_batch"
COLUMNS = ("objectId", "candidate_ra", "candidate_dec")


def send_slack_alerts(
    df: Any,
    channels: Iterable[str] | str | Path | None = None,
    *,
    client: SlackClient | None = None,
    class_column: str = CLASS_COLUMN,
    columns: Sequence[str] = COLUMNS,
) -> dict[str, Reply]:
    """Send the alerts of each class, as a table, to the channel named by the class's letters in lower case.

    Alerts of the class `Unknown`, and those without a class, are left out. A table that is too long for a message of Slack's is sent
    in several, one a second. What Slack refuses is logged and returned, never raised.

    Parameters
    ----------
    df
        A DataFrame of Spark or pandas.
    channels
        Send to these only, with or without `#`; a path is that of a file with one channel a line.
    client
        Without it: `get_slack_client()`.
    class_column, columns
        The column of the class, and those that are shown before it.

    Returns
    -------
    dict
        Class -> reply to its first message that failed, else to its last; only for classes whose channel is allowed.

    Raises
    ------
    ValueError
        A column is not there.
    OSError
        The file of channels cannot be read.
    slack_notifier.api_token.TokenError
        Without `client`: there is no token, or Slack refuses it.
    """
    allowed = None if channels is None else {_bare(name) for name in _listed(channels)}
    heading = (*columns, class_column)
    by_class: dict[str, list[Sequence[Any]]] = {}
    for row in _rows(df, heading, class_column):
        if isinstance(row[-1], str):
            by_class.setdefault(row[-1], []).append(row)
    replies = {}
    for name, rows in by_class.items():
        channel = channel_names.of_class(name)
        if channel is None:
            LOG.warning("%d alerts were not sent: the class %r has no letters to name a channel by", len(rows), name)
        elif allowed is None or _bare(channel) in allowed:
            client = client or get_slack_client()
            replies[name] = _send(client, channel, heading, rows)
    return replies


def _send(client: SlackClient, channel: str, heading: Sequence[str], rows: Sequence[Sequence[Any]]) -> Reply:
    waiting = deque(tables(heading, rows))
    reply = Reply(Outcome.ACCEPTED)
    while waiting and reply.ok:
        table = waiting.popleft()
        reply = client.send_message(channel, table)
        if reply.outcome is Outcome.TOO_LONG and (smaller := halved(table)):
            waiting.extendleft(reversed(smaller))
            reply = Reply(Outcome.ACCEPTED)
    return reply


def _rows(df: Any, columns: Sequence[str], class_column: str) -> Iterator[Sequence[Any]]:
    missing = [name for name in columns if name not in df.columns]
    if missing:
        raise ValueError(
            f"The alerts have no column {', '.join(missing)}. They have: {', '.join(map(str, df.columns))}."
        )
    # Spark and pandas understand the same two selections; Spark then sends us no row in vain.
    known = df[df[class_column] != channel_names.UNKNOWN][list(columns)]
    return iter(known.collect()) if hasattr(known, "collect") else known.itertuples(index=False, name=None)


def _listed(channels: Iterable[str] | str | Path) -> list[str]:
    if isinstance(channels, str | Path):
        return Path(channels).read_text(encoding="utf-8").splitlines()
    return list(channels)


def _bare(name: str) -> str:
    return name.strip().removeprefix("#").lower()
