"""How many alerts a second the distribution job reads, filters, encodes and publishes, and what that costs.

    make bench-distribution                          20,000 alerts, with and without cutouts, 1, 5, 20 and 100 filters
    make bench-distribution N=2000 FILTERS=5,20
    make bench-distribution FILTERS=1,100 SHARE=2000 DROPS=3       a hundred filters that match no more in all than one does
    make bench-distribution N=3000 DROPS=9 FILTERS=livestream CUTOUTS=with    the 21 of fink-filters for ZTF
    make bench-distribution OUT=distribution.json    the table as a list of rows as well

It uses the testbed's Kafka (LEVEL=kafka), and the job as a process of its own with `local[2]`.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from distribution import filters, process_tree, publishing
from distribution.rows import Row
from distribution.stage import ALERTS_A_FILE, MEMORY, PACKAGES, Stage, drop, make_alerts, read
from testbed import jars, usage
from testbed.environment import properties

WARM = 400
DELIVERIES = ("AtLeastOnce", "ExactlyOnce")
PUBLISHED_BYTES, PUBLISHED_TIMES = 5e8, 3
MOST_QUERIES = 21  # a hundred of them take longer than anybody waits


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-n", "number", default=20_000, show_default=True, help="How many alerts.")
@click.option(
    "--filters",
    "counts",
    default="1,5,20,100",
    show_default=True,
    help="How many filters of SQL, each a case; or livestream.",
)
@click.option(
    "--share", default=filters.SHARE, show_default=True, help="Each filter of SQL lets one alert in so many through."
)
@click.option("--drops", default=1, show_default=True, help="How often each case gets them; the table has medians.")
@click.option("--cutouts", type=click.Choice(["both", "with", "without"]), default="both", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Write the rows as JSON to this file.")
def main(number: int, counts: str, share: int, drops: int, cutouts: str, out: Path | None) -> None:
    """Run the cases and print the table."""
    use = usage.use("kafka")
    login = dict(properties(use.environment.kafka_admin_config))
    rows: list[Row] = []
    console = Console(width=200)

    def report(row: Row) -> None:
        rows.append(row)
        console.print("  ".join(f"{name}={value}" for name, value in row.to_dict().items() if value is not None))

    try:
        for with_cutouts in {"both": (False, True), "with": (True,), "without": (False,)}[cutouts]:
            with tempfile.TemporaryDirectory() as folder:
                Bench(Path(folder), login, number, drops, with_cutouts, report).run(counts.split(","), share)
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
        self.stage = Stage(folder, login)
        self._sizes: list[float] = []
        click.echo(f"making {number:,} alerts {'with' if cutouts else 'without'} cutouts")
        self.alerts = make_alerts(folder / "alerts", number, WARM, cutouts, ALERTS_A_FILE)
        self.warm = make_alerts(folder / "warm", WARM, 0, cutouts, ALERTS_A_FILE)

    def run(self, names: list[str], share: int) -> None:
        """The baselines, then the job with either delivery."""
        cases = {name: filters.named(name, share) for name in names}
        self._baselines({name: len(wanted) for name, wanted in cases.items() if len(wanted) <= MOST_QUERIES}, share)
        for wanted in cases.values():
            for delivery in DELIVERIES:
                self._job(wanted, delivery)
        self._publishing(round(statistics.median(self._sizes)))

    def _job(self, wanted: list[filters.Filter], delivery: str) -> None:
        with self.stage.job(wanted, delivery) as (job, topics):
            job.start(packages=PACKAGES)
            drop(job, self.warm, "warm")
            read(job, WARM, timeout=300)
            drop(job, self.alerts, "not-counted")
            read(job, WARM + self.number, timeout=1800)
            before, cpu = self.stage.ends(topics), process_tree.cpu_seconds(job.pid)
            took = []
            with process_tree.peak(job.pid) as peak:
                for number in range(self.drops):
                    drop(job, self.alerts, f"drop-{number}")
                    progress = read(job, WARM + (number + 2) * self.number, timeout=1800)
                    took.append(progress["batchDurationMilliseconds"] / 1000)
            used = (process_tree.cpu_seconds(job.pid) - cpu) / self.drops
            seconds = statistics.median(took)
            messages = (self.stage.ends(topics) - before) / self.drops
            size = self.stage.message_bytes(topics[0])
            self.report(
                Row(
                    "one pass",
                    len(wanted),
                    self.cutouts,
                    delivery,
                    alerts_per_s=self.number / seconds,
                    messages_per_s=messages / seconds,
                    mb_per_s=messages * size / seconds / 1e6,
                    cpu_s_per_1000=1000 * used / self.number,
                    peak_rss_mib=peak.mib,
                )
            )
            job.stop()
        self._sizes.append(size)

    def _publishing(self, size: int) -> None:
        """Messages of the size that the job's have, without reading, filtering and encoding."""
        stream, topics = self.stage.stream(5)
        with self.stage.gone(topics):
            stream.allow_transactions(*(f"f{one}" for one in range(len(topics))))
            messages = round(PUBLISHED_BYTES / size)
            paces = {
                "Kafka's ProducerPerformance": partial(
                    publishing.producer_performance, stream, jars.kafka(), topics[0], messages, size
                ),
                "publishing alone": partial(publishing.transaction, stream, topics, messages, size),
            }
            for case, pace in paces.items():
                found = statistics.median(pace() for _ in range(PUBLISHED_TIMES))
                self.report(Row(case, None, self.cutouts, messages_per_s=found, mb_per_s=found * size / 1e6))

    def _baselines(self, counts: dict[str, int], share: int) -> None:
        stream, topics = self.stage.stream(max(counts.values(), default=0))
        jaas = f'org.apache.kafka.common.security.scram.ScramLoginModule required username="{stream.user}" '
        asked: dict[str, Any] = {
            "share": share,
            "conf": {
                "spark.master": "local[2]",
                "spark.jars": ",".join(map(str, sorted(jars.spark().glob("*.jar")))),
                **MEMORY,
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
        with self.stage.gone(topics):
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
            with process_tree.peak(process.pid) as peak:
                cpu = process_tree.cpu_seconds(process.pid)
                for line in process.stdout:
                    if not line.startswith("{"):
                        click.echo(line, nl=False, err=True)  # a warning of Java's
                        continue
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
                            alerts_per_s=self.number / found["seconds"],
                            cpu_s_per_1000=1000 * (used - cpu) / self.drops / self.number,
                            peak_rss_mib=peak.mib,
                        )
                    )
            if process.wait() != 0:
                sys.exit("the baselines ended with an error; run them alone to see it")


if __name__ == "__main__":
    main()
