"""To whom an alert goes."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slack_notifier import channel_names
from slack_notifier.alert_rows import at

OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
    "in": lambda value, among: value in among,
    "not in": lambda value, among: value not in among,
}


@dataclass(frozen=True)
class Condition:
    """A field compared with a value; a null, or a value of another type, fulfils none."""

    field: str
    operator: str
    value: Any

    def holds(self, alert: Mapping[str, Any]) -> bool:
        found = at(alert, self.field)
        try:
            return found is not None and bool(OPERATORS[self.operator](found, self.value))
        except TypeError:
            return False


@dataclass(frozen=True)
class Destination:
    """`recipient` is `#channel` or a person; alerts for an `optional` one are dropped while there is none of that name."""

    recipient: str
    interval: float
    threads: bool = False
    optional: bool = False


@dataclass(frozen=True)
class Route:
    """Alerts of some topics, of some classes if given, that fulfil all conditions.

    They go to `recipient`, or, without one, to the channel of their class, if it is among `channels` where those are given.
    """

    topics: frozenset[str]
    interval: float
    recipient: str | None = None
    channels: frozenset[str] | None = None
    classes: frozenset[str] | None = None
    conditions: tuple[Condition, ...] = ()
    threads: bool = False

    def destination(self, topic: str, class_name: str | None, alert: Mapping[str, Any]) -> Destination | None:
        """Where this route leads an alert; None if it is none of its alerts."""
        if topic not in self.topics or (self.classes is not None and class_name not in self.classes):
            return None
        if not all(condition.holds(alert) for condition in self.conditions):
            return None
        if self.recipient is not None:
            return Destination(self.recipient, self.interval, self.threads)
        if class_name is None or class_name == channel_names.UNKNOWN:
            return None
        channel = channel_names.of_class(class_name)
        if channel is None or (self.channels is not None and channel not in self.channels):
            return None
        return Destination(channel, self.interval, self.threads, optional=True)


def destinations(
    routes: Sequence[Route], topic: str, class_name: str | None, alert: Mapping[str, Any]
) -> Iterator[Destination]:
    """Each recipient once; the first route that leads to it says how."""
    seen = set()
    for route in routes:
        found = route.destination(topic, class_name, alert)
        if found is not None and found.recipient not in seen:
            seen.add(found.recipient)
            yield found
