"""What keeps an output from flooding its topic: the largest share of the alerts that it may match, and the most that it may get of a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from distribution_job.failures import Failure, Reason
from distribution_job.plan import Routed

FEWEST_ALERTS = 100
"""Of fewer alerts, any share may match."""


def over_share(outputs: Sequence[Routed], filtering: Mapping[str, Any]) -> frozenset[int]:
    """The positions of the outputs whose filter matches a larger share of the alerts than their maxMatchPercent."""
    rows = filtering["rows"]
    if rows < FEWEST_ALERTS:
        return frozenset()
    return frozenset(
        position
        for position, routed in enumerate(outputs)
        if routed.output.max_match_percent is not None
        and 100 * filtering[f"matched_{position}"] > routed.output.max_match_percent * rows
    )


def too_many(routed: Routed, matched: int, rows: int) -> Failure:
    """Why an output gets none of the alerts that its filter matches."""
    return Failure(
        Reason.TOO_MANY_MATCHES,
        f"The filter matches {matched} of {rows} alerts, more than maxMatchPercent ({routed.output.max_match_percent}) allows, so none of them are sent; their "
        "files wait. Correct the filter, or allow a larger share: either has the driver start anew, and then they are looked at again.",
    )


class Allowance:
    """How many alerts of the batch under way each output has had, over all the deliveries that it is cut into.

    What a delivery takes counts when it is kept; a driver that starts anew in the middle of a batch counts from zero.
    """

    def __init__(self) -> None:
        self._key = ""
        self._kept: Counter[str] = Counter()
        self._taken: Counter[str] = Counter()

    def begin(self, key: str) -> None:
        """A delivery of this batch begins."""
        if key != self._key:
            self._key = key
            self._kept.clear()
        self._taken.clear()

    def take(self, routed: Routed) -> bool:
        """Whether the output may have one more."""
        name, most = routed.output.name, routed.output.max_alerts_per_batch
        if most is None:
            return True
        if self._kept[name] + self._taken[name] >= most:
            return False
        self._taken[name] += 1
        return True

    def undo(self) -> None:
        """Nothing of the delivery was sent."""
        self._taken.clear()

    def keep(self) -> None:
        """The delivery is there."""
        self._kept.update(self._taken)
        self._taken.clear()
