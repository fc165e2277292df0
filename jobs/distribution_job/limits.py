"""What keeps an output from flooding its topic: the largest share of the alerts that it may match, and the most that it may get of a batch and of a night."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from distribution_job.failures import Failure, Reason
from distribution_job.journal import Night
from distribution_job.outputs import Output
from distribution_job.plan import Routed
from job_settings import nights

LOG = logging.getLogger(__name__)
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
    """How many alerts of the batch under way each output has had, over all the deliveries that it is cut into, and how many bytes of the night.

    What a delivery takes counts when it is kept. A driver that starts anew in the middle of a batch counts its alerts from zero; what outputs
    have had of a night is in the journal.
    """

    def __init__(
        self,
        settled: Mapping[str, Night],
        night_begins: float = nights.BEGINS_AT_HOUR,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`settled`: the nights of the deliveries that are there, by output. `night_begins`: an hour of UTC."""
        self._settled = settled
        self._night_begins = night_begins
        self._clock = clock
        self._key = ""
        self._number = 0
        self._kept: Counter[str] = Counter()
        self._taken: Counter[str] = Counter()
        self.nights: dict[str, Night] = {}
        self._said: set[tuple[str, Night]] = set()

    def begin(self, key: str) -> None:
        """A delivery of this batch begins."""
        if key != self._key:
            self._key = key
            self._kept.clear()
        self._number = nights.number(nights.mjd(self._clock()), self._night_begins)
        self.undo()

    def take(self, routed: Routed, size: int) -> bool:
        """Whether the output may have one more, of so many bytes."""
        output = routed.output
        most = output.max_alerts_per_batch
        if most is not None and self._kept[output.name] + self._taken[output.name] >= most:
            return False
        if output.max_bytes_per_night is not None and not self._take_of_night(output, size, output.max_bytes_per_night):
            return False
        if most is not None:
            self._taken[output.name] += 1
        return True

    def undo(self) -> None:
        """Nothing of the delivery was sent."""
        self._taken.clear()
        self.nights = {}

    def keep(self) -> None:
        """The delivery is there, and `nights` are settled."""
        self._kept.update(self._taken)
        self.undo()

    def _take_of_night(self, output: Output, size: int, most: int) -> bool:
        # The first alert that is too much ends the night's alerts: later ones that happen to be small would be an arbitrary choice.
        now = self._tonight(output.name)
        is_full = now.full_at == most or now.bytes + size > most
        then = replace(now, full_at=most) if is_full else Night(now.number, now.bytes + size)
        self.nights[output.name] = then
        if is_full and now != then and (output.name, then) not in self._said:
            self._said.add((output.name, then))
            end = datetime.fromtimestamp(nights.start(now.number + 1, self._night_begins), UTC)
            LOG.warning(
                "output %s: it has had %d bytes of this night, and the next alert has %d: more than maxBytesPerNight (%d) allows. What "
                "matches until %s is dropped",
                *(output.name, now.bytes, size, most, f"{end:%Y-%m-%dT%H:%MZ}"),
            )
        return not is_full

    def _tonight(self, name: str) -> Night:
        night = self.nights.get(name) or self._settled.get(name)
        return night if night is not None and night.number == self._number else Night(self._number)
