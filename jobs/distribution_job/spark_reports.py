"""What Spark itself says of how long its part in a batch took."""

from __future__ import annotations

from collections.abc import Mapping

from pyspark.sql.streaming import StreamingQuery
from pyspark.sql.streaming.listener import StreamingQueryProgress

from distribution_job.stages import Stage

_PARTS = {Stage.LIST: ("latestOffset", "getBatch"), Stage.CHECKPOINT: ("walCommit", "commitOffsets")}


class SparkReports:
    """The reports of queries of one stream, each batch's once."""

    def __init__(self) -> None:
        self._last: int | None = None

    def new(self, newest: StreamingQueryProgress, query: StreamingQuery) -> list[dict[Stage, float]]:
        """The seconds of the stages that are Spark's own, of each batch that has ended since the last call; `newest`: the query's last report."""
        last = self._last
        if last is not None and newest.batchId <= last:
            return []
        # Batches may be shorter than the pause between two calls. All reports take as long as a hundred.
        is_next = last is not None and newest.batchId == last + 1
        reports = [newest] if is_next else query.recentProgress
        found = {report.batchId: of_report(report.durationMs) for report in reports}
        ended = {batch: stages for batch, stages in found.items() if stages and (last is None or batch > last)}
        self._last = max([newest.batchId - 1, *ended])
        return list(ended.values())


def of_report(milliseconds: Mapping[str, int]) -> dict[Stage, float]:
    """The seconds of the stages in a report on a trigger; empty for one that had no batch."""
    if "addBatch" not in milliseconds:
        return {}
    return {stage: sum(milliseconds.get(name, 0) for name in names) / 1000 for stage, names in _PARTS.items()}
