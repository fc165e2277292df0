"""How much an output may match, and may get of a batch."""

from __future__ import annotations

from typing import Any

import pytest

from distribution_job.failures import Reason
from distribution_job.limits import Allowance, over_share, too_many
from distribution_job.outputs import Output
from distribution_job.plan import Routed
from distribution_job.topics import Topic


def routed(name: str = "one", **limits: Any) -> Routed:
    return Routed(Output(name, f"topic-{name}", **limits), 0, Topic(f"topic-{name}", 1))


@pytest.mark.parametrize(
    ("percent", "rows", "matched", "is_over"),
    [
        (None, 1000, 1000, False),
        (50, 1000, 500, False),
        (50, 1000, 501, True),
        (100, 1000, 1000, False),
        (1, 1000, 11, True),
        (50, 100, 51, True),
        # Three bright alerts in a short file are no broken filter.
        (50, 99, 99, False),
        (50, 0, 0, False),
    ],
)
def test_a_share_is_judged_of_enough_alerts(percent: int | None, rows: int, matched: int, is_over: bool) -> None:
    outputs = [routed("other"), routed(max_match_percent=percent)]
    counts = {"rows": rows, "matched_0": rows, "matched_1": matched}
    assert over_share(outputs, counts) == ({1} if is_over else set())


def test_the_failure_says_what_was_found_and_what_is_allowed() -> None:
    failure = too_many(routed(max_match_percent=10), 990, 1000)
    assert failure.reason is Reason.TOO_MANY_MATCHES
    assert failure.message.startswith("The filter matches 990 of 1000 alerts, more than maxMatchPercent (10) allows")


def taken(allowance: Allowance, output: Routed, wanted: int) -> int:
    return sum(allowance.take(output) for _ in range(wanted))


def test_an_allowance_lasts_for_all_deliveries_of_a_batch() -> None:
    allowance, output, other = Allowance(), routed(max_alerts_per_batch=10), routed("free")
    allowance.begin("batch-1")
    assert (taken(allowance, output, 7), taken(allowance, other, 100)) == (7, 100)
    allowance.keep()
    allowance.begin("batch-1")
    assert taken(allowance, output, 7) == 3
    allowance.keep()
    allowance.begin("batch-2")
    assert taken(allowance, output, 20) == 10


@pytest.mark.parametrize("how", ["aborted", "cut off"])
def test_what_was_not_sent_is_not_counted(how: str) -> None:
    allowance, output = Allowance(), routed(max_alerts_per_batch=10)
    allowance.begin("batch-1")
    assert taken(allowance, output, 4) == 4
    allowance.keep()
    allowance.begin("batch-1")
    assert taken(allowance, output, 6) == 6
    if how == "aborted":
        allowance.undo()
    else:
        allowance.begin("batch-1")
    assert taken(allowance, output, 20) == 6
