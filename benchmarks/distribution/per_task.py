"""A transaction for each of Spark's tasks: the prototype that `distribution.variants` compares.

Runs in Spark's Python workers. A task sends its own alerts under a transactional id that ends in its number, and commits them with a mark, so
that a batch that is repeated, with the same files for the same tasks, could leave out the tasks whose mark is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyspark import TaskContext

from distribution_job.fan_out import Collected, Envelope, fan_out, message_sizes, rows_of
from distribution_job.plan import Routed
from distribution_job.transactions import Transactions
from job_settings.kafka import Kafka


@dataclass(frozen=True)
class Sending:
    """What a task needs to know; `mark` names the batch."""

    kafka: Kafka
    transactional_id: str
    outputs: Sequence[Routed]
    envelopes: Sequence[Envelope]
    batch_bytes: int
    mark: str

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Send a task's encoded alerts (see `single_pass.Encoded`); gives how many messages there were."""
        context = TaskContext.get()
        assert context is not None
        rows = list(batches)
        sent = 0
        if rows:
            # Not kept: the next task of this number may be another worker's, whose producer fences this one.
            transactions = Transactions(self.kafka, f"{self.transactional_id}-{context.partitionId()}")
            try:
                sent = self._send(transactions, rows)
            finally:
                transactions.close()
        yield pa.RecordBatch.from_pydict({"sent": pa.array([sent], pa.int64())})

    def _send(self, transactions: Transactions, rows: list[pa.RecordBatch]) -> int:
        everyone = range(len(self.outputs))
        table = pa.Table.from_batches(rows)
        mine = rows_of(table)
        matched = {f"matched_{position}": len(mine.get(position, ())) for position in everyone}
        sizes = message_sizes(table, self.envelopes)
        collected = Collected(table, mine, sizes, self.envelopes, matched, {}, frozenset(), frozenset(everyone))
        transactions.begin(self.batch_bytes)
        counts = fan_out(collected, self.outputs, transactions.send, _allowed)
        transactions.flush()
        transactions.commit(self.mark, [routed.topic.name for routed in self.outputs])
        return sum(counts[f"published_{position}"] for position in everyone)


def _allowed(routed: Routed, size: int) -> bool:
    return True
