"""What lies in a topic, read by Spark as it comes, decoded with a stored schema, and printed."""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from py4j.protocol import Py4JNetworkError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as everybody calls it
from pyspark.sql import types as spark
from pyspark.sql.avro.functions import from_avro
from pyspark.sql.streaming import StreamingQuery

from distribution_job import alert_table, diagnosis, formats, java_client, session, topic_access
from distribution_job.avro_schema import AvroSchema
from distribution_job.backoff import Backoff
from distribution_job.drain import Drain
from distribution_job.stored_schema import StoredSchema
from job_settings.kafka import Kafka

LOG = logging.getLogger(__name__)
_TICK = 0.2  # seconds between two looks at the query
_MOST_IN_A_BATCH = 10_000
_FORM = "form"


class UnknownColumnsError(Exception):
    """Columns were asked for that the alerts do not have."""


@dataclass(frozen=True)
class View:
    """What is looked at, and how it is shown.

    Attributes
    ----------
    columns
        What is printed of an alert; empty: the columns with simple values that fit into `width`.
    rows
        How many alerts are printed of a batch.
    width
        In characters.
    """

    kafka: Kafka
    topic: str
    group: str
    schema_file: Path
    beginning: str
    interval: int
    columns: tuple[str, ...]
    rows: int
    width: int
    connectors: tuple[Path, ...]


class TopicView:
    """Reads until a signal asks for the end; what is not there yet is waited for."""

    def __init__(self, view: View, show: Callable[[str], None]) -> None:
        self._view = view
        self._show = show
        self._drain = Drain()
        self._stored = StoredSchema(view.schema_file)
        self._said = ""
        self._total = 0

    def run(self) -> None:
        """Wait for the schema and the topic, then print what comes.

        Raises
        ------
        UnknownColumnsError
            The alerts have no such columns.
        """
        self._drain.listen()
        if not self._wait(self._schema_problem):
            return
        self._check_columns()
        if not self._wait(self._topic_problem):
            return
        conf = {
            "spark.master": "local[2]",
            "spark.driver.memory": "1g",
            # Alerts are counted by their form, of which there are few.
            "spark.sql.shuffle.partitions": "1",
            "spark.jars": ",".join(map(str, self._view.connectors)),
        }
        spark_session = session.start("distribution_test", conf)
        self._drain.listen()
        try:
            with tempfile.TemporaryDirectory() as checkpoint:
                self._loop(spark_session, checkpoint)
        finally:
            spark_session.stop()

    def _loop(self, spark_session: SparkSession, checkpoint: str) -> None:
        """Keep a query running; start it anew when it fails, where it was."""
        backoff = Backoff()
        while self._wait(self._topic_problem):
            try:
                query = self._begin(spark_session, checkpoint)
                self._watch(query, backoff)
                error = query.exception()
            except (PySparkException, Py4JNetworkError) as raised:
                error = raised
            if self._drain.asked:
                return
            pause = backoff.next()
            LOG.warning("the topic cannot be read: %s (again in %.0f s)", error and diagnosis.sentence(error), pause)
            self._drain.wait(pause)

    def _begin(self, spark_session: SparkSession, checkpoint: str) -> StreamingQuery:
        messages = (
            spark_session.readStream.format("kafka")
            .options(**java_client.reader(self._view.kafka))
            .option("kafka.group.id", self._view.group)
            .option("subscribe", self._view.topic)
            .option("startingOffsets", self._view.beginning)
            .option("maxOffsetsPerTrigger", _MOST_IN_A_BATCH)
            # Messages whose time is over go while we look.
            .option("failOnDataLoss", "false")
            .option("includeHeaders", "true")
            .load()
        )
        interval = f"{self._view.interval} seconds"
        writer = messages.writeStream.foreachBatch(self._batch).trigger(processingTime=interval)
        return writer.option("checkpointLocation", checkpoint).start()

    def _watch(self, query: StreamingQuery, backoff: Backoff) -> None:
        while query.isActive and not self._drain.wait(_TICK):
            if query.lastProgress is not None:
                backoff.reset()
        # `stop` would interrupt a batch in the middle of its table.
        while query.isActive and query.status["isTriggerActive"]:
            time.sleep(_TICK)
        query.stop()

    def _batch(self, messages: DataFrame, number: int) -> None:
        try:
            schema = self._stored.read()
        except ValueError as error:
            schema = None
            LOG.warning("%s", error)
        forms = messages.withColumn(_FORM, _form())
        counts = {row[_FORM]: row["count"] for row in forms.groupBy(_FORM).count().collect()}
        if not counts:
            return
        total = sum(counts.values())
        self._total += total
        try:
            self._show(f"{total} alert(s) of {self._view.topic}, {self._total} so far")
            if schema is not None:
                self._show_alerts(forms, schema, counts)
        except BrokenPipeError:
            self._drain.ask()  # whoever has read what is printed has gone

    def _show_alerts(self, forms: DataFrame, schema: AvroSchema, counts: dict[str, int]) -> None:
        mine = f"the schema {schema.fingerprint}"
        others = {form: count for form, count in counts.items() if form not in ("", mine)}
        for form, count in sorted(others.items()):
            self._show(
                f"{count} of them have {form} and not that of {self._view.schema_file} ({schema.fingerprint}); they are not shown. "
                "The file is for the newest alerts of the distribution."
            )
        if sum(counts.values()) == sum(others.values()):
            return
        # An alert that is not as the schema says is null, and not the end of the query.
        alert_of = from_avro(F.col("value"), schema.text, {"mode": "PERMISSIVE"}).alias("alert")
        decoded = forms.where(F.col(_FORM).isin("", mine)).select(alert_of)
        alert = decoded.schema["alert"].dataType
        assert isinstance(alert, spark.StructType)  # noqa: S101 - of a record's schema
        gone = alert_table.unknown_columns(self._view.columns, schema.document)
        names = [name for name in self._view.columns if name not in gone] or alert_table.simple_columns(alert)
        chosen = [F.col(".".join(f"`{part}`" for part in ["alert", *name.split(".")])) for name in names]
        rows = decoded.limit(self._view.rows).select(*chosen).collect()
        self._show(alert_table.table(names, rows, None if self._view.columns else self._view.width) + "\n")

    def _check_columns(self) -> None:
        schema = self._stored.read()
        if schema is not None and (unknown := alert_table.unknown_columns(self._view.columns, schema.document)):
            known = ", ".join(field["name"] for field in schema.document["fields"])
            raise UnknownColumnsError(
                f"--columns: the alerts have no {', '.join(unknown)}. They have: {known}; candidate.magpsf is a field of a struct."
            )

    def _wait(self, problem: Callable[[], str | None]) -> bool:
        """Wait until there is no problem, and say what it is; False when the end is asked for."""
        while not self._drain.asked:
            text = problem()
            if text is None:
                return True
            if text != self._said:
                LOG.info("%s", text)
            self._said = text
            self._drain.wait(self._view.interval)
        return False

    def _schema_problem(self) -> str | None:
        try:
            found = self._stored.read()
        except ValueError as error:
            return str(error)
        if found is None:
            return f"waiting for {self._view.schema_file}, which the distribution writes with its first alerts"
        return None

    def _topic_problem(self) -> str | None:
        return topic_access.problem(self._view.kafka, self._view.topic, self._view.group)


def _form() -> F.Column:
    """How a message says that it is to be read: its format or its schema; empty when it says nothing."""
    return F.coalesce(
        F.concat(F.lit("the format "), formats.header_text("_format")),
        F.concat(F.lit("the schema "), formats.header_text("schema_fingerprint")),
        F.lit(""),
    )
