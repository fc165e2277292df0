"""The alerts, topics and jobs of a case."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AclOperation, AdminClient
from job_process import JobProcess
from job_stream import Stream

from demo import science_alerts
from distribution import filters
from distribution_job import session
from testbed import jars
from testbed.fixtures import wait_for

PARTITIONS = 4
ALERTS_A_FILE = 250
CUTOUTS = ["cutoutScience", "cutoutTemplate", "cutoutDifference"]
PACKAGES = ("fink_filters", "distribution")
MEMORY = {
    "spark.driver.memory": "1200m",
    "spark.driver.extraJavaOptions": session.JAVA,
}


def make_alerts(place: Path, rows: int, first: int, cutouts: bool, alerts_a_file: int) -> Path:
    """Write alerts as Parquet files into a new folder; `first` is the number of the first one."""
    table = science_alerts.generate(rows, seed=11, first_id=first)
    # One of fink-filters' asks for what the SPICY catalogue has, which is little.
    spicy = [number if number % 100 == 0 else -1 for number in range(rows)]
    table = table.append_column("spicy_id", pa.array(spicy, pa.int32()))
    table = table.append_column("spicy_class", pa.array(["Unknown" if one < 0 else "ClassII" for one in spicy]))
    # It takes the slope of one band, and the alerts have that of two.
    table = table.append_column("linear_fit_slope", pa.array([0.1] * rows, pa.float64()))
    science_alerts.write(place, table if cutouts else table.drop_columns(CUTOUTS), max(1, rows // alerts_a_file))
    return place


def drop(job: JobProcess, alerts: Path, name: str) -> None:
    """Let the files appear in the folder that the job reads, all at once."""
    hidden = job.source / f"_{name}"
    shutil.copytree(alerts, hidden)
    hidden.rename(job.source / name)


def read(job: JobProcess, rows: int, timeout: float) -> dict[str, Any]:
    """Wait until the job has read so many alerts. Raises RuntimeError when an output went without: the figures would be those of another case."""
    progress = job.until_read(rows, timeout)
    for output in progress["outputs"]:
        if "reason" in output:
            raise RuntimeError(f"output {output['name']}: {output['reason']}: {output['error']}")
    return progress


class Stage:
    """Makes what a case needs of Kafka, below a folder of its own."""

    def __init__(self, folder: Path, login: dict[str, str]) -> None:
        """`login`: an administrator's."""
        self._folder = folder
        self._login = login
        self._admin = AdminClient(login)

    def stream(self, count: int) -> tuple[Stream, list[str]]:
        """A user and so many topics, to which it may publish."""
        place = Path(tempfile.mkdtemp(dir=self._folder))
        stream = Stream(self._admin, self._login, place)
        large = {"max.message.bytes": "10485760"}
        topics = [stream.topic(f"f{one}", partitions=PARTITIONS, writable=True, **large) for one in range(count)]
        for one in range(count):
            stream.allow(f"f{one}", AclOperation.DESCRIBE_CONFIGS)
        return stream, topics

    @contextmanager
    def gone(self, topics: Sequence[str]) -> Iterator[None]:
        """Delete the topics at the end."""
        try:
            yield
        finally:
            for future in self._admin.delete_topics(list(topics)).values():
                future.result()

    @contextmanager
    def job(self, wanted: Sequence[filters.Filter], delivery: str) -> Iterator[tuple[JobProcess, list[str]]]:
        """A job that is not started yet, and its topics, one for each filter; both are gone at the end."""
        stream, topics = self.stream(len(wanted))
        place = Path(tempfile.mkdtemp(dir=self._folder))
        job = JobProcess(place / "stream", stream.kafka, sorted(jars.spark().glob("*.jar")), wait_for)
        job.document["spark"]["conf"] |= MEMORY
        job.document["source"]["maxFilesPerBatch"] = 100_000
        job.document["outputs"] = [
            {"name": f"f{one}", "topic": topic, "filter": wanted[one]} for one, topic in enumerate(topics)
        ]
        shorts = [f"f{one}" for one in range(len(wanted))]
        job.document["delivery"] = (
            stream.allow_transactions(*shorts) if delivery == "ExactlyOnce" else {"guarantee": delivery}
        )
        with self.gone(topics):
            try:
                yield job, topics
            finally:
                job.kill()

    def ends(self, topics: Sequence[str]) -> int:
        """How many messages there are; the end of a transaction counts as one in each partition that it wrote to."""
        consumer = Consumer({**self._login, "group.id": "unused"})
        try:
            parts = [(topic, part) for topic in topics for part in range(PARTITIONS)]
            return sum(consumer.get_watermark_offsets(TopicPartition(*one), timeout=30)[1] for one in parts)
        finally:
            consumer.close()

    def message_bytes(self, topic: str) -> float:
        """The mean size of some messages' keys and values."""
        consumer = Consumer({**self._login, "group.id": "unused", "enable.auto.commit": False})
        try:
            consumer.assign([TopicPartition(topic, 0, 0)])
            found = [message for message in consumer.consume(100, timeout=10) if message.error() is None]
            return sum(len(message.key()) + len(message.value()) for message in found) / max(len(found), 1)
        finally:
            consumer.close()
