"""From a pass's encoded alerts to messages: in the driver, each alert's bytes once, its topics by their positions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from distribution_job import formats, limits
from distribution_job.kafka_sink import LARGEST_BATCH, LARGEST_MESSAGE
from distribution_job.ledger import now_ms
from distribution_job.outputs import Format
from distribution_job.plan import Projection, Routed
from distribution_job.single_pass import Encoded, SinglePass
from distribution_job.transactions import Headers

Send = Callable[[str, int, bytes, bytes, Headers], None]
Allow = Callable[[Routed, int], bool]
"""Whether an output may have one more message, whose key and value have so many bytes."""
Rows = NDArray[np.int64]

_NOTHING: Rows = np.empty(0, np.int64)


@dataclass(frozen=True)
class Envelope:
    """What is the same for all messages of a projection; without a key, the key is the alert's id."""

    key: bytes | None
    headers: Headers


@dataclass(frozen=True)
class Collected:
    """The encoded alerts of a pass, here, and what their filtering and their sizes say.

    `rows`: the rows of the table that each output has, by its position. `sizes`: of each row, the bytes of its key and its value. `held`: the positions that match too many. `good`: those that can be
    sent.
    """

    table: pa.Table
    rows: Mapping[int, Rows]
    sizes: Rows
    envelopes: Sequence[Envelope]
    filtering: Mapping[str, Any]
    large: Mapping[int, int]
    held: frozenset[int]
    good: frozenset[int]


def collect(made: Encoded, single: SinglePass) -> Collected:
    """Run the pass. An output of which not all alerts can be sent is to get none."""
    table = made.rows.toArrow()
    rows = rows_of(table)
    matched = {f"matched_{position}": len(rows.get(position, ())) for position in range(len(single.outputs))}
    filtering = {**made.filtering.get, **matched}
    envelopes = [envelope(projection) for projection in single.projections]
    sizes = message_sizes(table, envelopes)
    large = {position: int((sizes[mine] > LARGEST_MESSAGE).sum()) for position, mine in rows.items()}
    held = limits.over_share(single.outputs, filtering)
    positions = set(range(len(single.outputs))) - held
    good = frozenset(number for number in positions if not large.get(number) and not filtering.get(f"error_{number}"))
    return Collected(table, rows, sizes, envelopes, filtering, large, held, good)


def fan_out(collected: Collected, outputs: Sequence[Routed], send: Send, allow: Allow) -> Mapping[str, Any]:
    """Give `send` each message that `allow` allows its output: the first ones of the output's, if not all. `outputs`: those of the pass.

    Returns the counts that the other delivery's pass observes, and the bytes of what was sent, keys and headers not counted.
    """
    table, sizes = collected.table, collected.sizes
    taken = {}
    for position in sorted(collected.good & collected.rows.keys()):
        mine = collected.rows[position]
        allowed = [allow(outputs[position], size) for size in sizes[mine].tolist()]
        taken[position] = mine[np.array(allowed)]
    _send(table, collected.envelopes, _in_runs(taken, table, sizes, outputs), outputs, send)
    lengths = _lengths(table.column("value"))
    counts: dict[str, Any] = {"held": collected.held}
    for position in range(len(outputs)):
        matched, sent = collected.filtering[f"matched_{position}"], taken.get(position, _NOTHING)
        counts |= {
            f"published_{position}": len(sent),
            f"bytes_{position}": int(lengths[sent].sum()),
            f"dropped_{position}": matched - len(sent) if position in collected.good else 0,
            f"large_{position}": collected.large.get(position, 0),
        }
    return counts


def rows_of(table: pa.Table) -> dict[int, Rows]:
    """The rows of the table that each output has, in their order."""
    outputs = table.column("outputs").combine_chunks()
    rows, positions = pc.list_parent_indices(outputs).to_numpy(), pc.list_flatten(outputs).to_numpy()
    by_position = np.argsort(positions, kind="stable")
    found, begins = np.unique(positions[by_position], return_index=True)
    parts = np.split(rows[by_position], begins)[1:]  # before the first begins nothing
    return dict(zip(found.tolist(), parts, strict=True))


def message_sizes(table: pa.Table, envelopes: Sequence[Envelope]) -> Rows:
    """Of each row, the bytes of its key and its value."""
    ids = _lengths(table.column("id").cast(pa.binary()))
    keys = np.array([-1 if one.key is None else len(one.key) for one in envelopes])[
        table.column("projection").to_numpy()
    ]
    return np.where(keys < 0, ids, keys) + _lengths(table.column("value"))


def _send(
    table: pa.Table,
    envelopes: Sequence[Envelope],
    order: Iterable[tuple[int, int, int]],
    outputs: Sequence[Routed],
    send: Send,
) -> None:
    ids, values = table.column("id").to_pylist(), table.column("value")
    for position, partition, row in order:
        routed, identity = outputs[position], ids[row].encode()
        around = envelopes[routed.projection]
        send(
            routed.topic.name,
            partition,
            around.key or identity,
            values[row].as_py(),
            [("id", identity), *around.headers],
        )


def _in_runs(
    taken: Mapping[int, Rows], table: pa.Table, sizes: Rows, outputs: Sequence[Routed]
) -> Iterable[tuple[int, int, int]]:
    """Positions, partitions and rows in the order in which they are best sent: as many of a partition as make one large batch, then the next.

    In the order of the alerts, a hundred topics would share the producer's buffer, and each of their batches would hold a few messages.
    The whole of a partition at once would keep one broker busy and leave the others idle.
    """
    if not taken:
        return []
    hashes = table.column("hash").to_numpy()
    rows = np.concatenate(list(taken.values()))
    positions = np.repeat(list(taken), [len(mine) for mine in taken.values()])
    partitions = hashes[rows] % np.array([routed.topic.partitions for routed in outputs])[positions]
    order = np.lexsort((partitions, positions))  # it keeps the rows of a partition in their order
    rows, positions, partitions = rows[order], positions[order], partitions[order]
    begins = np.flatnonzero(np.diff(positions, prepend=-1) | np.diff(partitions, prepend=-1))
    before = np.cumsum(sizes[rows]) - sizes[rows]
    runs = (before - np.repeat(before[begins], np.diff(begins, append=len(rows)))) // LARGEST_BATCH
    order = np.argsort(runs, kind="stable")
    return zip(positions[order].tolist(), partitions[order].tolist(), rows[order].tolist(), strict=True)


def _lengths(column: pa.ChunkedArray) -> Rows:
    lengths: Rows = pc.binary_length(column).to_numpy().astype(np.int64)
    return lengths


def envelope(projection: Projection) -> Envelope:
    schema = projection.schema
    texts = {
        "schema_name": schema.name,
        "schema_fingerprint": schema.fingerprint,
        "producer_timestamp": str(now_ms()),
        **formats.headers(projection.format),
    }
    key = schema.text.encode() if projection.format is Format.SCHEMA_IN_KEY else None
    return Envelope(key, [(name, text.encode()) for name, text in texts.items()])
