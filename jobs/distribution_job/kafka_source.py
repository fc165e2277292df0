"""A topic of alerts in Avro, read by Spark's own streaming source."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, OffsetSpec
from pyspark.sql import DataFrame, SparkSession

from distribution_job import java_client, streamed
from distribution_job.config import JobConfig
from distribution_job.failures import BatchError, Reason
from distribution_job.kafka_client import client_config
from distribution_job.kafka_decoding import Decoder
from distribution_job.registry import Registry
from distribution_job.source_config import EARLIEST, LATEST, KafkaTopic, milliseconds
from distribution_job.staging import Staging
from distribution_job.topic_offsets import Offsets, offsets


class KafkaSource:
    """Spark's checkpoint has the offsets, from the first start of a query on."""

    def __init__(
        self, spark: SparkSession, config: JobConfig, settings: KafkaTopic, folder: Path, note: Callable[[str], None]
    ) -> None:
        """`note` is told of messages that are gone, or cannot be decoded."""
        self._spark = spark
        self._kafka = config.kafka
        self._settings = settings
        self._starting_from = config.source.starting_from
        self._checkpoint = folder / "spark"
        registry = Registry(config.registry) if config.registry is not None else None
        self._decoder = Decoder(settings, registry, note)
        self._note = note
        self._admin: AdminClient | None = None
        self._login: dict[str, object] = {}

    def settle(self, staging: Staging) -> None:
        pass  # the first query does, also of a topic without messages

    def state(self) -> object:
        return sorted(self._ask(OffsetSpec.latest()).items())

    def bring(self, staging: Staging) -> None:
        self._compare()
        reader = self._spark.readStream.format("kafka").options(**java_client.reader(self._kafka))
        reader = reader.option("subscribe", self._settings.topic)
        reader = reader.option("maxOffsetsPerTrigger", self._settings.max_rows_per_batch)
        reader = reader.option("failOnDataLoss", "false")  # it has been told of
        if self._starting_from in (EARLIEST, LATEST):
            reader = reader.option("startingOffsets", self._starting_from.lower())
        else:
            reader = reader.option("startingTimestamp", milliseconds(self._starting_from))
            reader = reader.option("startingOffsetsByTimestampStrategy", "latest")
        streamed.stage(reader.load(), self._checkpoint, staging, self._tables)

    def behind(self) -> int | None:
        staged = self._offsets("commits")
        if not staged:
            return None
        # Their number is that of the offsets, of which transactions' own marks have some too.
        return sum(max(0, end - staged.get(partition, 0)) for partition, end in self._ask(OffsetSpec.latest()).items())

    def _tables(self, found: DataFrame) -> Iterable[DataFrame]:
        found.persist()  # it is read more than once
        try:
            yield from self._decoder.tables(found)
        finally:
            found.unpersist()

    def _compare(self) -> None:
        """Say which messages Kafka has removed before they were read.

        Raises BatchError (SourceInvalid) when it is another topic.
        """
        read, topic = self._offsets("offsets"), self._settings.topic
        if not read:
            return
        begins, ends = self._ask(OffsetSpec.earliest()), self._ask(OffsetSpec.latest())
        if any(offset > ends.get(partition, offset) for partition, offset in read.items()):
            raise BatchError(
                Reason.SOURCE_INVALID,
                f"The topic {topic} ends before what has been read of it, so it was deleted and made anew. Give the stream another "
                "checkpoint.path, with which it begins anew.",
            )
        lost = {partition: begins[partition] - offset for partition, offset in read.items() if partition in begins}
        number = sum(count for count in lost.values() if count > 0)
        if number:
            self._note(
                f"Kafka has removed up to {number} messages of the topic {topic} before they were read. Raise its retention above the time "
                "that the stream may be away."
            )

    def _offsets(self, log: str) -> Offsets:
        """The offsets, by partition, up to which the newest batch goes: in the log `offsets` one that is begun, in `commits` one that is staged."""
        numbers = [int(file.name) for file in (self._checkpoint / log).glob("[0-9]*")]
        if not numbers:
            return {}
        # A version, the batch's own facts, and the source's offset.
        file = self._checkpoint / "offsets" / str(max(numbers))
        document = json.loads(file.read_text(encoding="utf-8").splitlines()[2])
        return {int(partition): offset for partition, offset in document[self._settings.topic].items()}

    def _ask(self, which: OffsetSpec) -> Offsets:
        """The topic's first or last offsets, by partition. Raises BatchError."""
        topic, login = self._settings.topic, client_config(self._kafka)
        if self._admin is None or login != self._login:  # the files' credentials may have been rotated
            self._admin, self._login = AdminClient(login), login
        try:
            return offsets(self._admin, topic, which)
        except KafkaException as error:
            raise BatchError(
                Reason.SOURCE_UNAVAILABLE,
                f"The topic {topic} at {self._kafka.bootstrap_servers} cannot be read: {error.args[0].str()}. Check that it exists, that the "
                "brokers can be reached, and that the user may read and describe it.",
            ) from error
