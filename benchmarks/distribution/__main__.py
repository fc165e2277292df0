"""How many alerts a second the distribution job reads, filters, encodes and publishes, and what that costs.

    make bench-distribution                          20,000 alerts, with and without cutouts, 1, 5, 20 and 100 filters
    make bench-distribution N=2000 FILTERS=5,20
    make bench-distribution N=3000 DROPS=3 FILTERS=livestream CUTOUTS=with    the 21 of fink-filters for ZTF
    make bench-distribution OUT=distribution.json    the table as a list of rows as well

It uses the testbed's Kafka (LEVEL=kafka), and the job as a process of its own with `local[2]`.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import pyarrow as pa
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AclOperation, AdminClient
from job_process import JobProcess
from job_stream import Stream
from rich.console import Console
from rich.table import Table

from demo import science_alerts
from distribution import baselines, filters, process_tree
from distribution.rows import Row
from testbed import jars, usage
from testbed.environment import properties
from testbed.fixtures import wait_for

WARM = 400
ALERTS_A_FILE = 250
CUTOUTS = ["cutoutScience", "cutoutTemplate", "cutoutDifference"]
DELIVERIES = ("AtLeastOnce", "ExactlyOnce")
MOST_QUERIES = 21  # a hundred of them take longer than anybody waits
# As in a pod with less than two processors: Java then takes the serial collector by itself.
_MEMORY = {
    "spark.driver.memory": "1500m",
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
}


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-n", "number", default=20_000, show_default=True, help="How many alerts.")
@click.option(
    "--filters",
    "counts",
    default="1,5,20,100",
    show_default=True,
    help="How many filters of SQL, each a case; or livestream.",
)
@click.option("--drops", default=1, show_default=True, help="How often each case gets them; the table has medians.")
@click.option("--cutouts", type=click.Choice(["both", "with", "without"]), default="both", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Write the rows as JSON to this file.")
def main(number: int, counts: str, drops: int, cutouts: str, out: Path | None) -> None:
    """Run the cases and print the table."""
    use = usage.use("kafka")
    login = dict(properties(use.environment.kafka_admin_config))
    rows: list[Row] = []
    console = Console()

    def report(row: Row) -> None:
        rows.append(row)
        console.print("  ".join(f"{name}={value}" for name, value in row.to_dict().items() if value is not None))

    try:
        for with_cutouts in {"both": (False, True), "with": (True,), "without": (False,)}[cutouts]:
            with tempfile.TemporaryDirectory() as folder:
                Bench(Path(folder), login, number, drops, with_cutouts, report).run(counts.split(","))
    finally:
        use.release()
    table = Table(*Row.__annotations__, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.to_dict().values()))
    console.print(table)
    if out is not None:
        out.write_text(json.dumps([row.to_dict() for row in rows], indent=2) + "\n")


class Bench:
    """The cases for one set of alerts."""

    def __init__(
        self,
        folder: Path,
        login: dict[str, str],
        number: int,
        drops: int,
        cutouts: bool,
        report: Callable[[Row], None],
    ) -> None:
        self.folder, self.login, self.report = folder, login, report
        self.number, self.drops, self.cutouts = number, drops, cutouts
        self.admin = AdminClient(login)
        click.echo(f"making {number:,} alerts {'with' if cutouts else 'without'} cutouts")
        self.alerts = self._made("alerts", number, first=WARM)
        self.warm = self._made("warm", WARM, first=0)

    def _made(self, name: str, rows: int, first: int) -> Path:
        table = science_alerts.generate(rows, seed=11, first_id=first)
        # One of fink-filters' asks for what the SPICY catalogue has, which is little.
        spicy = [number if number % 100 == 0 else -1 for number in range(rows)]
        table = table.append_column("spicy_id", pa.array(spicy, pa.int32()))
        table = table.append_column("spicy_class", pa.array(["Unknown" if one < 0 else "ClassII" for one in spicy]))
        # It takes the slope of one band, and the alerts have that of two.
        table = table.append_column("linear_fit_slope", pa.array([0.1] * rows, pa.float64()))
        place = self.folder / name
        science_alerts.write(
            place, table if self.cutouts else table.drop_columns(CUTOUTS), max(1, rows // ALERTS_A_FILE)
        )
        return place

    def run(self, names: list[str]) -> None:
        """The baselines, then the job with either delivery."""
        cases = {name: filters.named(name) for name in names}
        self._baselines({name: len(wanted) for name, wanted in cases.items() if len(wanted) <= MOST_QUERIES})
        for wanted in cases.values():
            for delivery in DELIVERIES:
                self._job(wanted, delivery)

    def _stream(self, count: int) -> tuple[Stream, list[str]]:
        place = Path(tempfile.mkdtemp(dir=self.folder))
        stream = Stream(self.admin, self.login, place)
        large = {"max.message.bytes": "10485760"}
        topics = [stream.topic(f"f{one}", partitions=4, writable=True, **large) for one in range(count)]
        for one in range(count):
            stream.allow(f"f{one}", AclOperation.DESCRIBE_CONFIGS)
        return stream, topics

    @contextmanager
    def _gone(self, topics: list[str]) -> Iterator[None]:
        try:
            yield
        finally:
            for future in self.admin.delete_topics(topics).values():
                future.result()

    def _job(self, wanted: list[filters.Filter], delivery: str) -> None:
        count = len(wanted)
        stream, topics = self._stream(count)
        place = Path(tempfile.mkdtemp(dir=self.folder))
        job = JobProcess(place / "stream", stream.kafka, sorted(jars.spark().glob("*.jar")), wait_for)
        job.document["spark"]["conf"] |= _MEMORY
        job.document["source"]["maxFilesPerBatch"] = 100_000
        job.document["outputs"] = [
            {"name": f"f{one}", "topic": topic, "filter": wanted[one]} for one, topic in enumerate(topics)
        ]
        shorts = [f"f{one}" for one in range(count)]
        job.document["delivery"] = (
            stream.allow_transactions(*shorts) if delivery == "ExactlyOnce" else {"guarantee": delivery}
        )
        with self._gone(topics):
            try:
                job.start(packages=baselines.PACKAGES)
                self._drop(job, self.warm, "warm")
                job.until_read(WARM, timeout=300)
                before, cpu = self._ends(topics), process_tree.cpu_seconds(job.pid)
                took = []
                with process_tree.Peak(job.pid) as peak:
                    for drop in range(self.drops):
                        self._drop(job, self.alerts, f"drop-{drop}")
                        progress = job.until_read(WARM + (drop + 1) * self.number, timeout=1800)
                        took.append(progress["batchDurationMilliseconds"] / 1000)
                used = (process_tree.cpu_seconds(job.pid) - cpu) / self.drops
                seconds = statistics.median(took)
                messages = (self._ends(topics) - before) / self.drops
                self.report(
                    Row(
                        "one pass",
                        count,
                        self.cutouts,
                        delivery,
                        self.number / seconds,
                        messages / seconds,
                        messages * self._message_bytes(topics[0]) / seconds / 1e6,
                        1000 * used / self.number,
                        peak.mib,
                    )
                )
                job.stop()
            finally:
                job.kill()

    def _drop(self, job: JobProcess, alerts: Path, name: str) -> None:
        hidden = job.source / f"_{name}"
        shutil.copytree(alerts, hidden)
        hidden.rename(job.source / name)

    def _baselines(self, counts: dict[str, int]) -> None:
        stream, topics = self._stream(max(counts.values(), default=0))
        jaas = f'org.apache.kafka.common.security.scram.ScramLoginModule required username="{stream.user}" '
        asked: dict[str, Any] = {
            "conf": {
                "spark.master": "local[2]",
                "spark.jars": ",".join(map(str, sorted(jars.spark().glob("*.jar")))),
                **_MEMORY,
            },
            "warm": str(self.warm),
            "alerts": str(self.alerts),
            "drops": self.drops,
            "topics": {name: topics[:count] for name, count in counts.items()},
            "checkpoints": str(self.folder / "checkpoints"),
            "kafka": {
                "kafka.bootstrap.servers": self.login["bootstrap.servers"],
                "kafka.security.protocol": "SASL_PLAINTEXT",
                "kafka.sasl.mechanism": "SCRAM-SHA-512",
                "kafka.sasl.jaas.config": f'{jaas}password="{stream.password}";',
                "kafka.max.request.size": "10485760",
            },
        }
        with self._gone(topics):
            process = subprocess.Popen(
                [sys.executable, "-m", "distribution.baselines"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            assert process.stdin is not None
            assert process.stdout is not None
            # Not an argument: it holds a password.
            process.stdin.write(json.dumps(asked))
            process.stdin.close()
            with process_tree.Peak(process.pid) as peak:
                cpu = process_tree.cpu_seconds(process.pid)
                for line in process.stdout:
                    found = json.loads(line)
                    used = process_tree.cpu_seconds(process.pid)
                    if "begins" in found:
                        cpu = used
                        continue
                    self.report(
                        Row(
                            found["case"],
                            found["filters"],
                            self.cutouts,
                            None,
                            self.number / found["seconds"],
                            None,
                            None,
                            1000 * (used - cpu) / self.drops / self.number,
                            peak.mib,
                        )
                    )
            if process.wait() != 0:
                sys.exit("the baselines ended with an error; run them alone to see it")

    def _ends(self, topics: list[str]) -> int:
        """How many messages there are; the end of a transaction counts as one in each partition that it wrote to."""
        consumer = Consumer({**self.login, "group.id": "unused"})
        try:
            parts = [(topic, part) for topic in topics for part in range(4)]
            return sum(consumer.get_watermark_offsets(TopicPartition(*one), timeout=30)[1] for one in parts)
        finally:
            consumer.close()

    def _message_bytes(self, topic: str) -> float:
        """The mean size of some messages."""
        consumer = Consumer({**self.login, "group.id": "unused", "enable.auto.commit": False})
        try:
            consumer.assign([TopicPartition(topic, 0, 0)])
            found = [message for message in consumer.consume(100, timeout=10) if message.error() is None]
            return sum(len(message.key()) + len(message.value()) for message in found) / max(len(found), 1)
        finally:
            consumer.close()


if __name__ == "__main__":
    main()
