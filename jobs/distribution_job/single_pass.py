"""One pass over the alerts of a batch: all filters at once, each alert encoded once per projection, one write.

Five traps of Spark shape it. `explode` lets the optimizer infer a condition on the filters' results and push it below
their projection, which runs every Python filter twice; `explode_outer` does not. Metrics are observed on two levels, and
the V1 Kafka sink loses them, so the session turns the V2 one on (see `session`). An array of outputs exploded before the
encoding would encode an alert once per topic, so the projections are exploded first and the outputs after it. Functions
that take a lambda, `array_compact` among them, are not compiled: with one, the whole operator copies each alert, column by column.
So does what counts, which therefore stands behind the encoding (see `pass_counts`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F  # noqa: N812  pyspark's own convention
from pyspark.sql.types import StringType

from distribution_job import formats, pass_counts
from distribution_job.conditions import Conditions, match_name, quoted
from distribution_job.kafka_sink import LARGEST_MESSAGE
from distribution_job.plan import Plan, Projection, Routed
from distribution_job.texts import mended

_NONE = -1  # no output's position


@dataclass(frozen=True)
class Messages:
    """The rows to write (topic, partition, key, value, headers) and what their making counts, for so many outputs."""

    rows: DataFrame
    outputs: int
    filtering: Observation
    encoding: Observation

    def counts(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """What was counted while filtering, and while encoding; once the rows are written.

        Whatever an output matches is one message, so the first follows from the second, except for outputs that are held.
        """
        encoding = pass_counts.by_output(self.encoding.get, self.outputs)
        matched = {
            f"matched_{position}": encoding[f"published_{position}"] + encoding[f"large_{position}"]
            for position in range(self.outputs)
        }
        return {**self.filtering.get, **matched}, encoding


@dataclass(frozen=True)
class Encoded:
    """The encoded alerts (id, hash, projection, value, outputs), each once, and what their filtering counts."""

    rows: DataFrame
    filtering: Observation


class SinglePass:
    """The pass for one plan. It may be used for many batches whose alerts have the same columns.

    Its columns are made once: each costs calls into the JVM, about a thousand in all.
    """

    def __init__(self, plan: Plan, found: Conditions) -> None:
        """Each output of `found.matches` is routed by `plan`."""
        self._found = found
        self.projections = plan.projections
        self.outputs = [routed for routed in plan.outputs if routed.output.name in found.matches]
        self.id_column = plan.id_column
        identity = identity_of(plan.id_column)
        number = F.col("__wanted.projection")
        self._each_projection = F.posexplode_outer(_wanted(plan, self.outputs)).alias("__place", "__wanted")
        self._matched = [
            F.count_if(match_name(position)).alias(f"matched_{position}") for position in range(len(self.outputs))
        ]
        errors = pass_counts.errors(self.outputs, found)
        self._notes = pass_counts.alert_notes(plan, errors, F.lit(True))
        self._filter_counts = pass_counts.alert_counts(list(errors))
        self._first_notes = pass_counts.alert_notes(plan, errors, F.col("__place") == 0)
        self._around = {
            "id": identity,
            "hash": hash_of(identity),
            "projection": number,
            "outputs": F.col("__wanted.outputs"),
        }
        self._encodings: dict[bool, list[Column]] = {}
        # A projection of its own, since the encoding stands in it more than once; none when there is nothing to wrap.
        wrappings = [
            formats.wrapped(part.format, F.col("value"), part.schema, part.schema_id) for part in plan.projections
        ]
        self._wrapped = (
            _by_projection(F.col("projection"), wrappings)
            if any(part.format in formats.WRAPPED for part in plan.projections)
            else None
        )
        # A projection of its own: in the one above, Spark would explode first, and encode once per output.
        self._each_output = F.explode_outer("outputs").alias("position")
        number = F.col("projection")
        key = _by_projection(number, [formats.key(part.format, F.col("id"), part.schema) for part in plan.projections])
        topics = F.array(*(F.lit(routed.topic.name) for routed in self.outputs))
        partitions = F.array(*(F.lit(routed.topic.partitions) for routed in self.outputs))
        self._sized = [
            F.col("position"),
            (F.octet_length("value") + F.octet_length(key) <= LARGEST_MESSAGE).alias("fits"),
            F.get(topics, F.col("position")).alias("topic"),
            partition_of(F.col("hash"), F.get(partitions, F.col("position"))).alias("partition"),
            key.alias("key"),
            F.col("value"),
            _headers(plan, number).alias("headers"),
        ]
        self._message_count = pass_counts.message_count(len(self.outputs))

    def judged(self, alerts: DataFrame) -> DataFrame:
        """The filters' results alone."""
        return self._found.applied(alerts).select(*(match_name(position) for position in range(len(self.outputs))))

    def counted(self, alerts: DataFrame) -> Mapping[str, Any]:
        """What the filters match and count, found out by running them alone."""
        noted = self._found.applied(alerts).select("*", *self._notes)
        counts: Mapping[str, Any] = noted.agg(*self._filter_counts, *self._matched).first().asDict()
        return counts

    def encoded_once(self, alerts: DataFrame, is_mending: bool = False) -> Encoded:
        """The pass up to the encoding, each alert once per projection, `outputs` their positions; nothing is read yet.

        `is_mending`: publish no text that is not UTF-8, and none below the top level either, which only counts without it (`INSIDE`) and
        takes a fifth more time with it.
        """
        filtering = Observation()
        each = self._found.applied(alerts).select("*", self._each_projection).select(*self._encoded(is_mending))
        counted = each.observe(filtering, *self._filter_counts)
        encoded = counted.where(F.col("outputs").isNotNull()).select(*self._around, "value")
        if self._wrapped is not None:
            encoded = encoded.withColumn("value", self._wrapped)
        return Encoded(encoded, filtering)

    def over(self, alerts: DataFrame, held: Collection[int] = ()) -> Messages:
        """The whole pass over these alerts as one DataFrame, without what the outputs at the positions `held` match.

        Nothing is read yet.
        """
        # What is sent while it is being made cannot be made again when it has turned out to need mending.
        made, encoding = self.encoded_once(alerts, is_mending=True), Observation()
        sized = made.rows.select("*", self._each_output).select(*self._sized)
        if held:
            sized = sized.where(~F.col("position").isin(*held))
        observed = sized.observe(encoding, self._message_count)
        rows = observed.where("fits").select("topic", "partition", "key", "value", "headers")
        return Messages(rows, len(self.outputs), made.filtering, encoding)

    def _encoded(self, is_mending: bool) -> list[Column]:
        """What is left of an alert after the encoding, null for one that nobody wants, and what is counted of it."""
        if is_mending not in self._encodings:
            parts = self.projections
            encodings = [formats.encoded(part.format, _published(part, is_mending), part.schema) for part in parts]
            columns = {**self._around, "value": _by_projection(F.col("__wanted.projection"), encodings)}
            # The others are counted as well, so they leave after the encoding: before it, each alert would be copied with all its columns.
            is_wanted = F.col("__wanted").isNotNull()
            made = [F.when(is_wanted, column).alias(name) for name, column in columns.items()]
            self._encodings[is_mending] = [*made, *self._first_notes]
        return self._encodings[is_mending]


def identity_of(column: str) -> Column:
    """An alert's id as its messages have it."""
    return F.coalesce(F.make_valid_utf8(F.col(quoted(column)).cast("string")), F.lit(""))


def hash_of(identity: Column) -> Column:
    """What chooses an alert's partition."""
    # Of the text, not of the typed column: an id then has its partition whatever integer type holds it.
    return F.xxhash64(identity)


def partition_of(hashed: Column, partitions: Column) -> Column:
    """The partition of an alert."""
    return F.pmod(hashed, partitions).cast("int")


def _published(part: Projection, is_mending: bool) -> list[Column]:
    columns = []
    for name, called in zip(part.columns, part.names, strict=True):
        column, kind = F.col(quoted(name)), part.texts.get(name)
        # A reader that decodes strictly would stop at an alert with other bytes in its text.
        is_mended = isinstance(kind, StringType) or (is_mending and kind is not None)
        columns.append((mended(column, kind) if is_mended else column).alias(called))
    return columns


def _wanted(plan: Plan, outputs: Sequence[Routed]) -> Column:
    """array<struct<projection, outputs array<int>>>: what the alert is to become, null for a projection that nobody wants of it.

    `outputs` are the positions of those that match.
    """
    parts = []
    for number in range(len(plan.projections)):
        mine = [position for position, routed in enumerate(outputs) if routed.projection == number]
        if not mine:
            continue
        matched = [F.when(F.col(match_name(position)), F.lit(position)).otherwise(F.lit(_NONE)) for position in mine]
        wanted = reduce(or_, (F.col(match_name(position)) for position in mine))
        positions = F.array_remove(F.array(*matched), _NONE)
        parts.append(F.when(wanted, F.struct(F.lit(number).alias("projection"), positions.alias("outputs"))))
    return F.array(*parts)


def _headers(plan: Plan, projection: Column) -> Column:
    name = _by_projection(projection, [F.lit(part.schema.name) for part in plan.projections])
    mark = _by_projection(projection, [F.lit(part.schema.fingerprint) for part in plan.projections])
    texts = {
        "id": F.col("id"),
        "schema_name": name,
        "schema_fingerprint": mark,
        # The time of the pass; Spark fixes it when the pass begins.
        "producer_timestamp": F.unix_millis(F.current_timestamp()).cast("string"),
    }
    forms = [part.format for part in plan.projections]
    choices = [
        _header_list({**texts, **{key: F.lit(text) for key, text in formats.headers(form).items()}}) for form in forms
    ]
    return _by_projection(projection, choices if len(set(forms)) > 1 else choices[:1])


def _header_list(texts: Mapping[str, Column]) -> Column:
    return F.array(
        *(F.struct(F.lit(key).alias("key"), text.cast("binary").alias("value")) for key, text in texts.items())
    )


def _by_projection(projection: Column, choices: Sequence[Column]) -> Column:
    if len(choices) == 1:
        return choices[0]
    chosen = F.when(projection == 0, choices[0])
    for number, choice in enumerate(choices[1:], start=1):
        chosen = chosen.when(projection == number, choice)
    return chosen
