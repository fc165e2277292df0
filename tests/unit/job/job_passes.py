"""The pass for outputs whose topics are all there, and what Spark makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame

from distribution_job import conditions, plan
from distribution_job.avro_schema import AvroSchema
from distribution_job.outputs import Format, Output
from distribution_job.single_pass import Messages, SinglePass
from distribution_job.topics import Topic

SCHEMA_ID = 258


def admit_all(output: Output, schema: AvroSchema) -> int | None:
    """Any output may have any schema."""
    return SCHEMA_ID if output.format is Format.CONFLUENT else None


ALLOWED = ("fink_filters", "distribution_job.filters", "worker_filters", "driver_filters")


def prepared(alerts: DataFrame, outputs: Sequence[Output]) -> SinglePass:
    topics = {output.topic: Topic(output.topic, 4) for output in outputs}
    made = plan.make(outputs, alerts.schema, topics, None, admit_all)
    found = conditions.find(alerts, made.outputs, ALLOWED)
    assert {**made.failures, **found.failures} == {}
    return SinglePass(made, found)


def physical(messages: Messages) -> str:
    """Spark's plan as text."""
    messages.rows.sparkSession.conf.set("spark.sql.debug.maxToStringFields", "10000")
    return str(messages.rows._jdf.queryExecution().executedPlan().toString())


def headers(row: Any) -> dict[str, str]:
    """The headers of a row that is to be a message."""
    return {header["key"]: bytes(header["value"]).decode() for header in row["headers"]}
