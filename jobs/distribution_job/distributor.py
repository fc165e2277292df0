"""Sends a table of alerts to outputs, once, and says of each what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyspark.sql import DataFrame

from distribution_job import conditions
from distribution_job import plan as planning
from distribution_job.alert_files import AlertFile
from distribution_job.conditions import Conditions
from distribution_job.config import JobConfig, Output
from distribution_job.failures import Failure, Reason, one_line
from distribution_job.kafka_sink import LARGEST_MESSAGE, options
from distribution_job.plan import Plan
from distribution_job.progress import Counts
from distribution_job.single_pass import SinglePass
from distribution_job.topics import Topics


@dataclass
class Result:
    """What became of some files: how many alerts were read, the counts per output, and what went wrong.

    `failures`: the outputs that lack some or all of the alerts. `aside`: the files that could not be read.
    """

    rows: int = 0
    counts: dict[str, Counts] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    aside: set[AlertFile] = field(default_factory=set)

    def add(self, other: Result) -> None:
        self.rows += other.rows
        for name, counts in other.counts.items():
            self.counts.setdefault(name, Counts()).add(counts)
        self.failures |= other.failures
        self.aside |= other.aside


@dataclass(frozen=True)
class Prepared:
    """The outputs that cannot be sent, and the pass for the others, if there are any."""

    failures: Mapping[str, Failure]
    single_pass: SinglePass | None


class Distributor:
    def __init__(self, config: JobConfig, topics: Topics, allowed: tuple[str, ...]) -> None:
        """`allowed`: the packages that Python filters may come from."""
        self._config = config
        self._topics = topics
        self._allowed = allowed
        self._remembered: tuple[str, Prepared] | None = None

    def send(self, alerts: DataFrame, outputs: Sequence[Output]) -> Result:
        """Read the alerts once and write the matches of all outputs to Kafka.

        An output that fails by itself is in the result. Raises BatchError (KafkaUnavailable), or what Spark raises.
        """
        return self._distribute(alerts, outputs, dry=False)

    def rehearse(self, alerts: DataFrame, outputs: Sequence[Output]) -> Result:
        """As `send`, without the writing: its result has the failures that `send` would find."""
        return self._distribute(alerts, outputs, dry=True)

    def plan(self, alerts: DataFrame, outputs: Sequence[Output], fresh: bool = False) -> tuple[Plan, Conditions]:
        """What a pass would do; `fresh`: ask the broker whatever is remembered of the topics."""
        described = self._topics.describe([output.topic for output in outputs], fresh)
        plan = planning.make(outputs, alerts.schema, described, self._config.source.id_column)
        return plan, conditions.find(alerts, plan.outputs, self._allowed)

    def _prepared(self, alerts: DataFrame, outputs: Sequence[Output]) -> Prepared:
        # Preparing takes a good part of a second, and most batches have the columns of the last.
        described = self._topics.describe([output.topic for output in outputs])
        key = json.dumps([[output.name for output in outputs], alerts.schema.json(), repr(described)])
        if self._remembered is None or self._remembered[0] != key:
            plan, found = self.plan(alerts, outputs)
            prepared = Prepared({**plan.failures, **found.failures}, SinglePass(plan, found) if found.matches else None)
            if prepared.failures:
                return prepared  # not remembered: an output that works again is to be noticed
            self._remembered = (key, prepared)
        return self._remembered[1]

    def _distribute(self, alerts: DataFrame, outputs: Sequence[Output], dry: bool) -> Result:
        prepared = self._prepared(alerts, outputs)
        result = Result(failures=dict(prepared.failures))
        if prepared.single_pass is None:
            return result
        made = prepared.single_pass.over(alerts)
        if dry:
            made.rows.write.format("noop").mode("overwrite").save()
        else:
            made.rows.write.format("kafka").options(**options(self._config)).mode("append").save()
        filtering, encoding = made.filtering.get, made.encoding.get
        result.rows = filtering["rows"]
        for position, routed in enumerate(prepared.single_pass.outputs):
            name = routed.output.name
            result.counts[name] = _counts(position, filtering, encoding)
            failure = _failure(position, filtering, encoding)
            if failure is not None:
                result.failures[name] = failure
        return result


def _counts(position: int, filtering: Mapping[str, Any], encoding: Mapping[str, Any]) -> Counts:
    return Counts(
        matched=filtering[f"matched_{position}"],
        published=encoding[f"published_{position}"],
        failed=filtering.get(f"failed_{position}", 0) + encoding[f"large_{position}"],
    )


def _failure(position: int, filtering: Mapping[str, Any], encoding: Mapping[str, Any]) -> Failure | None:
    raised = filtering.get(f"error_{position}")
    if raised is not None:
        return Failure(Reason.FILTER_RAISED, conditions.filter_error(raised))
    large = encoding[f"large_{position}"]
    if large:
        return Failure(
            Reason.ENCODING_FAILED,
            one_line(
                f"{large} matching alerts are larger than {LARGEST_MESSAGE:,} bytes, the most that is sent as one "
                "message. Publish fewer columns with select or drop."
            ),
        )
    return None
