"""What the ledger remembers of deliveries."""

from __future__ import annotations

from pathlib import Path

from distribution_job.alert_files import AlertFile
from distribution_job.ledger import KEPT_DAYS, Ledger, Share, filter_digest
from distribution_job.outputs import Output

DAY = 86_400_000
FIRST = 20_000 * DAY
FILES = (AlertFile("file:/science/a b.parquet", 1, 2), AlertFile("file:/science/é.parquet", 3, 4))
SHARES = {"sn": Share("fink_sn", "0123", 5, 4, 1)}


def test_a_delivery_that_is_noted_again_after_a_crash_is_one(tmp_path: Path) -> None:
    times = iter(range(FIRST + 10, FIRST + 20))
    ledger = Ledger(tmp_path / "ledger", lambda: next(times))
    for begun in (FIRST, FIRST, FIRST + 5):
        ledger.note("batch-1", begun, FILES, SHARES)
    found = Ledger(tmp_path / "ledger").deliveries()
    assert [(each.key, each.begun, each.settled) for each in found] == [
        ("batch-1", FIRST, FIRST + 10),
        ("batch-1", FIRST + 5, FIRST + 12),
    ]
    assert (found[0].files, found[0].shares) == (FILES, SHARES)


def test_a_line_that_a_crash_has_cut_off_harms_no_other(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, lambda: FIRST)
    ledger.note("batch-1", 1, FILES, SHARES)
    (file,) = tmp_path.glob("*.jsonl")
    with file.open("a") as handle:
        handle.write('{"key":"batch-2","beg')
    ledger.note("batch-3", 3, FILES, SHARES)
    assert [each.key for each in ledger.deliveries()] == ["batch-1", "batch-3"]


def test_days_that_are_long_past_are_forgotten(tmp_path: Path) -> None:
    for day in (0, 1, KEPT_DAYS, KEPT_DAYS + 1):
        Ledger(tmp_path, lambda day=day: FIRST + day * DAY).note("batch", day, FILES, SHARES)  # type: ignore[misc]
    assert [each.begun for each in Ledger(tmp_path).deliveries()] == [1, KEPT_DAYS, KEPT_DAYS + 1]


def test_another_filter_has_another_digest() -> None:
    digests = [Output("a", "t"), Output("b", "u"), Output("a", "t", sql="x"), Output("a", "t", python="x")]
    assert len({filter_digest(output) for output in digests}) == 3
