"""How much an output may match, and may get of a batch and of a night."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from distribution_job.backlog import Backlog
from distribution_job.failures import Reason
from distribution_job.journal import Effect, Intent, Journal, Night
from distribution_job.ledger import Ledger
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


def taken(allowance: Allowance, output: Routed, wanted: int, size: int = 10) -> int:
    return sum(allowance.take(output, size) for _ in range(wanted))


def test_an_allowance_lasts_for_all_deliveries_of_a_batch() -> None:
    allowance, output, other = Allowance({}), routed(max_alerts_per_batch=10), routed("free")
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
    allowance, output = Allowance({}), routed(max_alerts_per_batch=10)
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


class Driver:
    """The allowance and the journal of one process, at a time."""

    def __init__(self, folder: Path, time: str = "2026-11-27T20:00:00Z") -> None:
        self.journal = Journal(Backlog(folder, []), Ledger(folder / "ledger"), folder / "delivery.json")
        self.now = time
        self.allowance = Allowance(self.journal.nights, 18.0, lambda: datetime.fromisoformat(self.now).timestamp())

    def deliver(self, output: Routed, wanted: int, size: int, ends_at: str = "") -> int:
        """How many of so many alerts, of so many bytes each, the output gets."""
        self.allowance.begin("batch-1")
        had = taken(self.allowance, output, wanted, size)
        effect = Effect("batch-1", (), ("one",), nights=self.allowance.nights)
        if ends_at != "intent":
            self.journal.intend(Intent("mark", ("topic-one",), effect))
        if not ends_at:
            self.journal.settle(effect)
            self.allowance.keep()
        return had


def test_a_night_lasts_for_all_batches_and_drivers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    output, free = routed(max_bytes_per_night=100), routed("free")
    driver = Driver(tmp_path)
    assert driver.deliver(output, 3, size=30) == 3
    assert taken(driver.allowance, free, 50) == 50
    # The first that is too much is the end, though a smaller one would have room still.
    assert driver.deliver(output, 1, size=30) == 0
    assert driver.deliver(output, 1, size=1) == 0
    driver = Driver(tmp_path, "2026-11-28T17:59:59Z")
    assert driver.deliver(output, 1, size=1) == 0
    said = [text for text in caplog.messages if "maxBytesPerNight" in text]
    assert len(said) == 1, "once a night"
    assert said[0].startswith("output one: it has had 90 bytes of this night, and the next alert has 30")
    assert said[0].endswith("until 2026-11-28T18:00Z is dropped")
    driver.now = "2026-11-28T18:00:00Z"
    assert driver.deliver(output, 10, size=30) == 3
    assert len([text for text in caplog.messages if "maxBytesPerNight" in text]) == 2


@pytest.mark.parametrize(
    ("ends_at", "is_there", "left"), [("intent", False, 100), ("commit", False, 100), ("commit", True, 40)]
)
def test_what_a_lost_driver_has_sent_counts_if_it_is_there(
    tmp_path: Path, ends_at: str, is_there: bool, left: int
) -> None:
    output = routed(max_bytes_per_night=100)
    assert Driver(tmp_path).deliver(output, 2, size=30, ends_at=ends_at) == 2
    driver = Driver(tmp_path)
    if driver.journal.intent is not None:
        if is_there:
            driver.journal.settle(driver.journal.intent.effect)
        else:
            driver.journal.forget()
    assert driver.deliver(output, 1000, size=1) == left


def test_who_allows_more_gets_more_the_same_night(tmp_path: Path) -> None:
    assert Driver(tmp_path).deliver(routed(max_bytes_per_night=100), 30, size=10) == 10
    assert Driver(tmp_path).deliver(routed(max_bytes_per_night=150), 30, size=10) == 5


def test_a_delivery_that_is_undone_has_taken_nothing_of_the_night(tmp_path: Path) -> None:
    driver, output = Driver(tmp_path), routed(max_bytes_per_night=100)
    driver.allowance.begin("batch-1")
    assert taken(driver.allowance, output, 30) == 10
    driver.allowance.undo()
    assert taken(driver.allowance, output, 30) == 10


def test_a_journal_of_an_earlier_version_has_no_nights(tmp_path: Path) -> None:
    (tmp_path / "delivery.json").write_text('{"done": {}}')
    assert Journal(Backlog(tmp_path, []), Ledger(tmp_path / "ledger"), tmp_path / "delivery.json").nights == {}


def test_a_night_is_on_disk_as_it_was(tmp_path: Path) -> None:
    Driver(tmp_path).deliver(routed(max_bytes_per_night=100), 30, size=30)
    assert Driver(tmp_path).journal.nights == {"one": Night(61371, 90, 100)}
