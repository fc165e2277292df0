"""What is committed, and what a restart makes of it."""

from __future__ import annotations

import pytest

from slack_notifier.digests import Partition
from slack_notifier.positions import Mark, Positions, read_mark

PARTITION = Partition("t", 0)


def test_a_start_that_ends_early_still_owes_the_rest() -> None:
    waits: dict[str, int] = {}
    positions = Positions(lambda recipient, partition: waits.get(recipient))
    positions.begin(PARTITION, Mark(10, 100, {"#closed": 10, "#slow": 50}))
    for offset in range(10, 20):
        positions.passed(PARTITION, offset)
    # #closed has been sent all up to 20, which is not what it waits for; nothing was read yet of what #slow waits for.
    assert positions.changed(waits) == {PARTITION: Mark(20, 100, {"#closed": 20, "#slow": 50})}
    waits["#closed"] = 15
    assert positions.changed(waits)[PARTITION] == Mark(15, 100, {"#closed": 15, "#slow": 50})
    for offset in range(20, 100):
        positions.passed(PARTITION, offset)
    waits.clear()
    assert positions.changed(waits) == {PARTITION: Mark(100, 100)}


def test_reading_the_night_once_more_takes_nothing_back() -> None:
    positions = Positions(lambda recipient, partition: None)
    positions.begin(PARTITION, Mark(100, 100))
    positions.passed(PARTITION, 40)
    assert positions.changed([]) == {}
    assert positions.settled(PARTITION, 99, "#a")
    assert not positions.settled(PARTITION, 100, "#a")


@pytest.mark.parametrize(
    "mark", [Mark(5, 5), Mark(5, 9, {"#a": 5, "Bob Ä": 7}), Mark(5, 9, {f"#{n:050d}": 5 for n in range(200)})]
)
def test_a_mark_survives_kafka_or_errs_towards_repeating(mark: Mark) -> None:
    metadata = mark.metadata()
    assert len(metadata.encode()) < 4096
    kept = read_mark(mark.offset, metadata)
    assert kept == (mark if len(mark.held) < 200 else Mark(5, 5))


@pytest.mark.parametrize(
    "metadata", [None, "", "{", "[]", "7", '{"to":1}', '{"to":"x","held":{}}', '{"to":1,"held":[]}']
)
def test_metadata_of_others_count_as_none(metadata: str | None) -> None:
    assert read_mark(3, metadata) == Mark(3, 3)


def test_partitions_that_another_reads_are_left_alone() -> None:
    positions = Positions(lambda recipient, partition: None)
    positions.begin(PARTITION, Mark(0, 0))
    positions.end(PARTITION)
    positions.passed(PARTITION, 3)
    positions.committed({PARTITION: Mark(4, 4)})
    assert positions.changed([]) == {}
