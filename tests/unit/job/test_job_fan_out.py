"""From a pass's encoded alerts to messages, and what is counted on the way."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pyarrow as pa

from distribution_job.fan_out import Collected, Envelope, fan_out, message_sizes, rows_of
from distribution_job.kafka_sink import LARGEST_BATCH

KEY = Envelope(b"key", [])


def collected(rows: Sequence[tuple[bytes, Sequence[int]]], good: set[int]) -> Collected:
    """Alerts' values and the outputs that they match, as they come from Spark: in more than one part."""
    made = pa.table(
        {
            "id": [str(number) for number in range(len(rows))],
            "hash": pa.array([-number for number in range(len(rows))], pa.int64()),
            "projection": pa.array([0] * len(rows), pa.int32()),
            "value": [value for value, _ in rows],
            "outputs": pa.array([positions for _, positions in rows], pa.list_(pa.int32())),
        }
    )
    table = pa.concat_tables([made.slice(0, len(rows) - 1), made.slice(len(rows) - 1)])
    mine = rows_of(table)
    matched = {f"matched_{number}": len(mine.get(number, ())) for number in range(4)}
    return Collected(table, mine, message_sizes(table, [KEY]), [KEY], matched, {}, frozenset({3}), frozenset(good))


def outputs(partitions: int) -> list[Any]:
    """Four outputs."""
    topics = [SimpleNamespace(name=f"t{number}", partitions=partitions) for number in range(4)]
    return [SimpleNamespace(topic=topic, projection=0) for topic in topics]


def test_the_bytes_of_each_output_are_those_that_were_sent() -> None:
    rows = [(b"1", [0, 1]), (b"22", [1]), (b"333", [0, 1, 2]), (b"4444", [1, 3])]
    sent: Counter[str] = Counter()
    left = {"t1": 3}  # the first three of the four that it matches

    def send(topic: str, partition: int, key: bytes, value: bytes, headers: Any) -> None:
        sent[topic] += len(value)

    def allow(routed: Any, size: int) -> bool:
        left[routed.topic.name] = left.get(routed.topic.name, 9) - 1
        return left[routed.topic.name] >= 0

    counts = fan_out(collected(rows, {0, 1, 2}), outputs(2), send, allow)
    assert sent == {"t0": 4, "t1": 6, "t2": 3}
    assert [counts[f"bytes_{number}"] for number in range(4)] == [4, 6, 3, 0]
    assert [counts[f"published_{number}"] for number in range(4)] == [2, 3, 1, 0]
    assert [counts[f"dropped_{number}"] for number in range(4)] == [0, 1, 0, 0]


def test_nothing_matches() -> None:
    counts = fan_out(collected([(b"1", []), (b"22", [])], {0, 1}), outputs(2), lambda *message: None, lambda *one: True)
    assert [counts[f"published_{number}"] for number in range(4)] == [0, 0, 0, 0]


def test_a_producer_gets_whole_batches_of_a_partition_and_no_broker_waits_for_another() -> None:
    # Of each of 2 outputs' 3 partitions a bit more than two batches.
    value = b"v" * (LARGEST_BATCH // 4)
    sent: list[tuple[str, int]] = []
    ids: dict[tuple[str, int], list[int]] = defaultdict(list)

    def send(topic: str, partition: int, key: bytes, value: bytes, headers: Any) -> None:
        sent.append((topic, partition))
        ids[topic, partition].append(int(dict(headers)["id"]))

    fan_out(collected([(value, [0, 1])] * 30, {0, 1}), outputs(3), send, lambda routed, size: True)
    batches = [place for place, before in zip(sent, [None, *sent], strict=False) if place != before]
    assert batches == [(topic, partition) for _ in range(3) for topic in ("t0", "t1") for partition in range(3)]
    for (topic, partition), found in ids.items():
        # An alert has its partition whatever the sign of its hash, and a partition has its alerts in their order.
        assert found == [number for number in range(30) if -number % 3 == partition], (topic, partition)
