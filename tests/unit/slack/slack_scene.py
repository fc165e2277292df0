"""A notifier that sends to the server of the tests, at a clock that is moved on; and what its messages say, read as people do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from slack_clock import Clock

from slack_notifier.alert_rows import Fields, row
from slack_notifier.client import SlackClient
from slack_notifier.config import PORTAL
from slack_notifier.digests import Partition
from slack_notifier.notifier import Notifier
from slack_notifier.positions import Mark
from slack_notifier.routes import Route
from slack_server import Message

TOPIC = "t-all"
PARTITION = Partition(TOPIC, 0)
NIGHT_JD = 2_461_371.8  # within a night of October 2026


def alert(number: int, name: str = "RRLyr", **more: Any) -> dict[str, Any]:
    """A ZTF alert as the distribution job sends it, of an object of its own."""
    candidate = {"ra": 12.5 + number / 1000, "dec": -13.25, "magpsf": 18.123, "ndethist": 5, "jd": NIGHT_JD}
    return {"objectId": f"ZTF26a{number:06d}", "cdsxmatch": name, "candidate": {**candidate, **more}}


def route(recipient: str | None = "#alerts", **more: Any) -> Route:
    return Route(**{"topics": frozenset({TOPIC}), "interval": 60.0, "recipient": recipient, **more})


class Scene:
    """Alerts come in as from one partition, in its order; `marks` is what a consumer would have committed."""

    def __init__(self, client: SlackClient, clock: Clock, *routes: Route, limit: int = 40, once: bool = True) -> None:
        self.client = client
        self.clock = clock
        self.fates: Counter[str] = Counter()
        self.notifier = Notifier(
            routes or [route()], portal=PORTAL, rate=1.0, limit=limit, once_a_night=once, came_of=self.came_of
        )
        self.offset = 0
        self.mark = Mark(0, 0)
        self.begin(self.mark)

    def begin(self, mark: Mark) -> None:
        """Read the partition from a mark, as after a restart."""
        self.mark = mark
        self.offset = mark.offset
        self.notifier.positions.begin(PARTITION, mark)

    def come(self, *alerts: Mapping[str, Any]) -> None:
        for one in alerts:
            found = row(one, Fields(), 0.0, 18.0)
            self.notifier.take(PARTITION, self.offset, found, one, self.clock.now)
            self.offset += 1

    def came_of(self, fate: str, alerts: int) -> None:
        self.fates[fate] += alerts

    def send(self) -> None:
        """Send all that may be sent now, and commit."""
        while (post := self.notifier.next(self.clock.now)) is not None:
            reply = self.client.post(post.recipient, post.text, post.blocks, post.thread_ts)
            self.notifier.settle(post, reply, self.clock.now)
            self.commit()
        self.commit()

    def commit(self) -> None:
        marks = self.notifier.marks()
        self.notifier.positions.committed(marks)
        self.mark = marks.get(PARTITION, self.mark)

    def wait(self, seconds: float, step: float = 0.25) -> None:
        """Let time go by, sending what may be sent."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            self.send()
            self.clock.now += step
        self.send()


def said(message: Message) -> str:
    """All texts of its layout."""
    parts = [part for block in message.blocks for part in ([block["text"]] if "text" in block else block["elements"])]
    return "\n".join(part["text"] for part in parts)


def shown(message: Message) -> list[str]:
    """The objects that it shows."""
    return re.findall(rf"<{re.escape(PORTAL)}\w+\|(\w+)>", said(message))


def counted(message: Message) -> int:
    """How many alerts it says that it does not show."""
    return sum(map(int, re.findall(r"(\d+) of them", said(message))))


def total(message: Message) -> int:
    """How many alerts it says that it is about."""
    found = re.match(r"\*(\d+) alerts?\*", said(message))
    assert found
    return int(found[1])
