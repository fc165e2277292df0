"""From a pass's encoded alerts to messages: in the driver, each alert's bytes once, its topics by their positions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from distribution_job import formats, limits
from distribution_job.kafka_sink import LARGEST_MESSAGE
from distribution_job.ledger import now_ms
from distribution_job.outputs import Format
from distribution_job.plan import Projection, Routed
from distribution_job.single_pass import Encoded, SinglePass
from distribution_job.transactions import Headers

Send = Callable[[str, int, bytes, bytes, Headers], None]
Allow = Callable[[Routed, int], bool]
"""Whether an output may have one more message, whose key and value have so many bytes."""


@dataclass(frozen=True)
class Envelope:
    """What is the same for all messages of a projection; without a key, the key is the alert's id."""

    key: bytes | None
    headers: Headers


@dataclass(frozen=True)
class Collected:
    """The encoded alerts of a pass, here, and what their filtering and their sizes say.

    `held`: the positions that match too many. `good`: those that can be sent.
    """

    table: pa.Table
    envelopes: Sequence[Envelope]
    filtering: Mapping[str, Any]
    large: Mapping[int, int]
    held: frozenset[int]
    good: frozenset[int]


def collect(made: Encoded, single: SinglePass) -> Collected:
    """Run the pass. An output of which not all alerts can be sent is to get none."""
    table = made.rows.toArrow()
    filtering = {**made.filtering.get, **_matched(table, len(single.outputs))}
    envelopes = [_envelope(projection) for projection in single.projections]
    large = _too_large(table, envelopes)
    held = limits.over_share(single.outputs, filtering)
    positions = set(range(len(single.outputs))) - held
    good = frozenset(number for number in positions if not large[number] and not filtering.get(f"error_{number}"))
    return Collected(table, envelopes, filtering, large, held, good)


def fan_out(collected: Collected, single: SinglePass, send: Send, allow: Allow) -> Mapping[str, Any]:
    """Give `send` each message that `allow` allows its output: the first ones of the output's, if not all.

    Returns the counts that the other delivery's pass observes, and the bytes of what was sent, keys and headers not counted.
    """
    routes = [(routed.topic.name, routed.topic.partitions) for routed in single.outputs]
    sent: Counter[int] = Counter()
    for batch in collected.table.to_batches():
        ids, hashes, numbers, positions, values = (batch.column(name) for name in _COLUMNS)
        for row in range(batch.num_rows):
            good = [position for position in positions[row].as_py() if position in collected.good]
            if not good:
                continue
            identity = ids[row].as_py().encode()
            envelope, value, mark = collected.envelopes[numbers[row].as_py()], values[row].as_py(), hashes[row].as_py()
            key, headers = envelope.key or identity, [("id", identity), *envelope.headers]
            size = len(key) + len(value)
            wanted = [position for position in good if allow(single.outputs[position], size)]
            for position in wanted:
                topic, partitions = routes[position]
                send(topic, mark % partitions, key, value, headers)
            sent.update(wanted)
    counts: dict[str, Any] = {"held": collected.held, **_lengths(collected.table, sent)}
    for position in range(len(single.outputs)):
        matched = collected.filtering[f"matched_{position}"]
        counts |= {
            f"published_{position}": sent[position],
            f"dropped_{position}": matched - sent[position] if position in collected.good else 0,
            f"large_{position}": collected.large.get(position, 0),
        }
    return counts


def _lengths(table: pa.Table, sent: Mapping[int, int]) -> dict[str, int]:
    outputs = table.column("outputs").combine_chunks()
    lengths = pc.binary_length(table.column("value")).to_numpy()
    rows, positions = pc.list_parent_indices(outputs).to_numpy(), pc.list_flatten(outputs).to_numpy()
    return {
        f"bytes_{position}": int(lengths[rows[positions == position][:number]].sum())
        for position, number in sent.items()
    }


_COLUMNS = ("id", "hash", "projection", "outputs", "value")


def _envelope(projection: Projection) -> Envelope:
    schema = projection.schema
    texts = {
        "schema_name": schema.name,
        "schema_fingerprint": schema.fingerprint,
        "producer_timestamp": str(now_ms()),
        **formats.headers(projection.format),
    }
    key = schema.text.encode() if projection.format is Format.SCHEMA_IN_KEY else None
    return Envelope(key, [(name, text.encode()) for name, text in texts.items()])


def _matched(table: pa.Table, outputs: int) -> Mapping[str, int]:
    """How many alerts each output's filter lets through."""
    found = Counter(pc.list_flatten(table.column("outputs")).to_pylist())
    return {f"matched_{position}": found[position] for position in range(outputs)}


def _too_large(table: pa.Table, envelopes: Sequence[Envelope]) -> Counter[int]:
    """How many messages of each output are larger than any topic of ours may take."""
    found: Counter[int] = Counter()
    for batch in table.to_batches():
        for row in range(batch.num_rows):
            key = envelopes[batch.column("projection")[row].as_py()].key
            length = len(key) if key is not None else len(batch.column("id")[row].as_py().encode())
            if batch.column("value")[row].as_buffer().size + length > LARGEST_MESSAGE:
                found.update(batch.column("outputs")[row].as_py())
    return found
