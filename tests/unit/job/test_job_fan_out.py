"""From a pass's encoded alerts to messages, and what is counted on the way."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import pyarrow as pa

from distribution_job.fan_out import Collected, Envelope, fan_out


def test_the_bytes_of_each_output_are_those_that_were_sent() -> None:
    rows = [(b"1", [0, 1]), (b"22", [1]), (b"333", [0, 1, 2]), (b"4444", [1, 3])]
    table = pa.table(
        {
            "id": [str(number) for number in range(4)],
            "hash": pa.array(range(4), pa.int64()),
            "projection": pa.array([0] * 4, pa.int32()),
            "value": [value for value, _ in rows],
            "outputs": pa.array([outputs for _, outputs in rows], pa.list_(pa.int32())),
        }
    )
    # As it comes from Spark: in more than one part.
    table = pa.concat_tables([table.slice(0, 3), table.slice(3)])
    single: Any = SimpleNamespace(
        outputs=[SimpleNamespace(topic=SimpleNamespace(name=f"t{number}", partitions=2)) for number in range(4)]
    )
    matched = {f"matched_{number}": count for number, count in enumerate((2, 4, 1, 1))}
    collected = Collected(table, [Envelope(b"key", [])], matched, Counter(), frozenset({3}), frozenset({0, 1, 2}))
    sent: Counter[str] = Counter()
    left = {"t1": 3}  # the first three of the four that it matches

    def send(topic: str, partition: int, key: bytes, value: bytes, headers: Any) -> None:
        sent[topic] += len(value)

    def allow(routed: Any, size: int) -> bool:
        left[routed.topic.name] = left.get(routed.topic.name, 9) - 1
        return left[routed.topic.name] >= 0

    counts = fan_out(collected, single, send, allow)
    assert sent == {"t0": 4, "t1": 6, "t2": 3}
    assert {name: count for name, count in counts.items() if name.startswith("bytes")} == {
        "bytes_0": 4,
        "bytes_1": 6,
        "bytes_2": 3,
    }
    assert [counts[f"dropped_{number}"] for number in range(4)] == [0, 1, 0, 0]
