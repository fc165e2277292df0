"""What was to come, beside what came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from demo.quickstart import Output
from demo.reader import Received

FIELDS = ("objectId", "candid", "diaObjectId", "diaSourceId", "cdsxmatch", "roid", "snn_sn_vs_all")
SHOWN = 4


@dataclass(frozen=True)
class Result:
    """One output: the alerts that its filter should let through, and those that came."""

    output: str
    topic: str
    matched: Counter[str]
    received: Received = field(default_factory=Received)

    @property
    def differences(self) -> list[str]:
        """How what came differs from what was to come; empty when it does not."""
        missing, surplus = self.matched - self.received.ids, self.received.ids - self.matched
        found = []
        if missing:
            found.append(f"{self.topic}: {missing.total()} alerts did not come, {_some(missing)} among them")
        if surplus:
            found.append(f"{self.topic}: {surplus.total()} alerts came that were not to, {_some(surplus)} among them")
        return found


def results(
    outputs: Sequence[Output], matched: Mapping[str, Counter[str]], received: Mapping[str, Received]
) -> list[Result]:
    """One result per output."""
    return [Result(each.name, each.topic, matched[each.name], received.get(each.topic, Received())) for each in outputs]


def table(found: Sequence[Result]) -> Table:
    """The results for people."""
    drawn = Table("", "topic", "matched", "received", "by partition", "the first alert, decoded", box=SIMPLE_HEAD)
    drawn.columns[2].justify = drawn.columns[3].justify = "right"
    for column in drawn.columns[:-1]:
        column.no_wrap = True
    for result in found:
        right = not result.differences
        drawn.add_row(
            "[green]ok[/]" if right else "[red]differs[/]",
            result.topic,
            str(result.matched.total()),
            str(len(result.received)),
            spread(result.received.partitions),
            first_row(result.received.first),
        )
    return drawn


def spread(partitions: Counter[int]) -> str:
    """How many came by each partition."""
    return " ".join(str(partitions[number]) for number in sorted(partitions)) or "none"


def first_row(alert: Mapping[str, Any]) -> str:
    """A few fields of an alert."""
    names = [name for name in FIELDS if alert.get(name) is not None][:SHOWN]
    return " ".join(f"{name}={_short(alert[name])}" for name in names) or "none"


def _short(value: Any) -> str:
    return f"{value:.2f}" if isinstance(value, float) else str(value)


def _some(ids: Counter[str]) -> str:
    return ", ".join(sorted(ids)[:3])
