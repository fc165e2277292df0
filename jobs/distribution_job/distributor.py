"""Sends a table of alerts to outputs, once, and says of each what came of it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pyspark.sql import DataFrame

from distribution_job import conditions, filter_udf, limits
from distribution_job import plan as planning
from distribution_job.alert_files import AlertFile
from distribution_job.conditions import Conditions
from distribution_job.config import JobConfig
from distribution_job.delivery import Counted, Delivery
from distribution_job.failures import Failure, Reason, one_line
from distribution_job.kafka_sink import LARGEST_MESSAGE
from distribution_job.outputs import Output
from distribution_job.pass_counts import INSIDE
from distribution_job.plan import Plan, Routed
from distribution_job.progress import Counts
from distribution_job.schemas import Schemas
from distribution_job.single_pass import SinglePass
from distribution_job.stages import Stage, StageTimes
from distribution_job.topics import Topic, Topics

# Those for all outputs, and those for single ones whose files have waited, which take turns.
_REMEMBERED = 8


@dataclass
class Result:
    """What became of some files: how many alerts were read, the counts per output, and what went wrong.

    `failures`: the outputs that lack some or all of the alerts. `aside`: the files that could not be read. `troubles`: what is wrong with
    alerts that were sent all the same.
    """

    rows: int = 0
    counts: dict[str, Counts] = field(default_factory=dict)
    failures: dict[str, Failure] = field(default_factory=dict)
    aside: set[AlertFile] = field(default_factory=set)
    troubles: list[str] = field(default_factory=list)

    def add(self, other: Result) -> None:
        self.rows += other.rows
        for name, counts in other.counts.items():
            self.counts.setdefault(name, Counts()).add(counts)
        self.failures |= other.failures
        self.aside |= other.aside
        self.troubles += [trouble for trouble in other.troubles if trouble not in self.troubles]


@dataclass(frozen=True)
class Prepared:
    """How outputs are to be sent.

    `failures`: those that cannot be. `together`: the one pass for the others, but for those in `apart`: a pass each.
    """

    failures: Mapping[str, Failure]
    together: SinglePass | None
    apart: tuple[SinglePass, ...]


class Distributor:
    def __init__(
        self,
        config: JobConfig,
        topics: Topics,
        schemas: Schemas,
        delivery: Delivery,
        allowed: tuple[str, ...],
        times: StageTimes,
    ) -> None:
        """`allowed`: the packages that Python filters may come from. `times` is told how long it takes to prepare."""
        self._config = config
        self.delivery = delivery
        self._topics = topics
        self._schemas = schemas
        self._allowed = allowed
        self._times = times
        self._remembered: dict[str, Prepared] = {}

    def prepare(
        self, alerts: DataFrame, outputs: Sequence[Output], apart: Collection[str] = (), fresh: bool = False
    ) -> Prepared:
        """Work out how to send; nothing is read. `apart`: the outputs that are to have a pass of their own.

        `fresh`: ask the broker whatever is remembered of the topics. Raises BatchError (KafkaUnavailable).
        """
        with self._times.of(Stage.PLAN):
            return self._prepare(alerts, outputs, apart, fresh)

    def _prepare(self, alerts: DataFrame, outputs: Sequence[Output], apart: Collection[str], fresh: bool) -> Prepared:
        described = self._topics.describe([output.topic for output in outputs], fresh)
        self.delivery.note_topics(described.values())
        # It takes a good part of a second, and most batches have the columns of one of the last.
        names = [output.name for output in outputs]
        key = json.dumps([names, sorted(apart), alerts.schema.json(), repr(described)])
        prepared = self._recalled(key, alerts, outputs, described) or self._worked_out(
            alerts, outputs, apart, described
        )
        self._remembered.pop(key, None)
        self._remembered[key] = prepared  # the newest one stands last
        if len(self._remembered) > _REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        return prepared

    def _recalled(
        self, key: str, alerts: DataFrame, outputs: Sequence[Output], described: Mapping[str, Topic | Failure]
    ) -> Prepared | None:
        """What is remembered, if it holds; an output that failed then is looked at again, and is to be noticed when it works."""
        known = self._remembered.get(key)
        if known is None or not known.failures:
            return known
        failed = [output for output in outputs if output.name in known.failures]
        failures = self._routes(alerts, failed, described)[2]
        return replace(known, failures=failures) if failures.keys() == known.failures.keys() else None

    def _worked_out(
        self,
        alerts: DataFrame,
        outputs: Sequence[Output],
        apart: Collection[str],
        described: Mapping[str, Topic | Failure],
    ) -> Prepared:
        groups = [[output for output in outputs if output.name not in apart]]
        groups += [[output] for output in outputs if output.name in apart]
        failures: dict[str, Failure] = {}
        passes = []
        for group in groups:
            plan, found, failed = self._routes(alerts, group, described)
            failures |= failed
            passes.append(SinglePass(plan, found) if found.matches else None)
        return Prepared(failures, passes[0], tuple(single for single in passes[1:] if single is not None))

    def _routes(
        self, alerts: DataFrame, outputs: Sequence[Output], described: Mapping[str, Topic | Failure]
    ) -> tuple[Plan, Conditions, Mapping[str, Failure]]:
        """Where the alerts go, by which filters, and the outputs that cannot be sent."""
        plan = planning.make(outputs, alerts.schema, described, self._config.source.id_column, self._schemas.admit)
        found = conditions.find(alerts, plan.outputs, self._allowed)
        return plan, found, {**plan.failures, **found.failures}

    def send(self, alerts: DataFrame, single: SinglePass) -> Result:
        """Read the alerts once and send the matches of the pass's outputs, as the delivery does.

        Outputs whose filter raised in Python, or whose alerts are too
        large, are in the result's failures. Raises what Spark raises.
        """
        for routed in single.outputs:
            self._schemas.note(routed.output, single.projections[routed.projection].schema)
        return _result(single, self.delivery.write(alerts, single))

    def rehearse(self, alerts: DataFrame, single: SinglePass) -> Result:
        """As `send`, without the writing: its result has the failures that `send` would find before Kafka."""
        made = single.over(alerts)
        made.rows.write.format("noop").mode("overwrite").save()
        filtering, encoding = made.counts()
        return _result(single, (filtering, {**encoding, "held": limits.over_share(single.outputs, filtering)}))


def _result(single: SinglePass, counted: Counted) -> Result:
    filtering, encoding = counted
    result = Result(rows=filtering["rows"], troubles=list(_troubles(single, filtering)))
    for position, routed in enumerate(single.outputs):
        result.counts[routed.output.name] = _counts(position, filtering, encoding)
        failure = _failure(position, routed, filtering, encoding)
        if failure is not None:
            result.failures[routed.output.name] = failure
    return result


def _troubles(single: SinglePass, filtering: Mapping[str, Any]) -> Iterator[str]:
    if nameless := filtering["nameless"]:
        yield f"{nameless} alerts have no {single.id_column}. They are published with an empty id, all to one partition"
    if column := filtering["garbled"]:
        yield f"the column {column} has text that is not UTF-8. What is no text is published as U+FFFD"
    if column := filtering[INSIDE]:
        yield (
            f"the column {column} has text in it that is not UTF-8. What is no text is published as U+FFFD, an array or a map with such text "
            "as null"
        )


def _counts(position: int, filtering: Mapping[str, Any], encoding: Mapping[str, Any]) -> Counts:
    return Counts(
        matched=filtering[f"matched_{position}"],
        published=encoding[f"published_{position}"],
        failed=filtering.get(f"failed_{position}", 0) + encoding[f"large_{position}"],
        published_bytes=encoding.get(f"bytes_{position}", 0),
        too_large=encoding[f"large_{position}"],
        dropped=encoding.get(f"dropped_{position}", 0),
    )


def _failure(
    position: int, routed: Routed, filtering: Mapping[str, Any], encoding: Mapping[str, Any]
) -> Failure | None:
    raised = filtering.get(f"error_{position}")
    if raised is not None:
        return filter_udf.failure(raised)
    if position in encoding["held"]:
        return limits.too_many(routed, filtering[f"matched_{position}"], filtering["rows"])
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
