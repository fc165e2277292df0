"""Three ways from a pass's alerts to Kafka, over the same pass in one warm Spark session.

    make bench-variants                           20,000 alerts without cutouts, 20 filters of SQL
    make bench-variants N=3000 FILTERS=livestream CUTOUTS=with DROPS=5

one transaction     the driver's one producer, a transaction for all (what ExactlyOnce does)
one for each task   each of Spark's tasks has a producer with a transactional id of its own, and commits for itself
Spark's sink        each task has an idempotent producer without transactions (what AtLeastOnce does)

The second is a prototype, and no delivery of the job's; docs/decisions/0022 says why.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from pyspark.sql import DataFrame
from rich.console import Console
from rich.table import Table

from distribution import filters, process_tree
from distribution.per_task import Sending
from distribution.stage import ALERTS_A_FILE, PACKAGES, PARTITIONS, Stage, make_alerts
from distribution_job import conditions, config, fan_out, kafka_sink, plan, session
from distribution_job.alert_files import AlertFile
from distribution_job.alert_reader import AlertReader
from distribution_job.config import JobConfig
from distribution_job.single_pass import SinglePass
from distribution_job.topics import Topic
from distribution_job.transactions import Transactions
from fink_distribution.resources.credentials import jaas_config
from testbed import usage
from testbed.environment import properties

WARM = 3  # times that are not counted
BATCH_BYTES = 1024 * 1024
ID = "variants"


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-n", "number", default=20_000, show_default=True, help="How many alerts.")
@click.option("--filters", "case", default="20", show_default=True, help="How many filters of SQL; or livestream.")
@click.option("--drops", default=5, show_default=True, help="How often each way has them; the table has medians.")
@click.option("--cutouts", type=click.Choice(["with", "without"]), default="without", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="Write the rows as JSON to this file.")
def main(number: int, case: str, drops: int, cutouts: str, out: Path | None) -> None:
    """Run the ways in turn, so that what else the machine does meets all of them."""
    use = usage.use("kafka")
    try:
        with tempfile.TemporaryDirectory() as folder:
            login = dict(properties(use.environment.kafka_admin_config))
            alerts = make_alerts(Path(folder) / "alerts", number, 0, cutouts == "with", ALERTS_A_FILE)
            rows = _compare(Path(folder), login, alerts, filters.named(case), number, drops)
    finally:
        use.release()
    table = Table(*rows[0], box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console(width=120).print(table)
    if out is not None:
        out.write_text(json.dumps(rows, indent=2) + "\n")


def _compare(
    folder: Path, login: dict[str, str], alerts: Path, wanted: Sequence[filters.Filter], number: int, drops: int
) -> list[dict[str, Any]]:
    stage = Stage(folder, login)
    os.environ["PYTHONPATH"] = os.pathsep.join(str(Path(place).resolve()) for place in sys.path)  # for the workers
    with stage.job(wanted, "ExactlyOnce") as (job, topics):
        # The administrator's: a task's transactional id is nobody else's.
        job.document["kafka"]["credentialsDirectory"] = str(_credentials(folder, login))
        settings = config.parse(job.document)
        spark = session.start(ID, settings.spark_conf)
        try:
            files = [AlertFile(f"file:{file}", 0, file.stat().st_size) for file in sorted(alerts.rglob("*.parquet"))]
            table = AlertReader(spark, str(alerts)).read(files)
            ways = _ways(settings, table)
            took: dict[str, list[tuple[float, float, int]]] = {name: [] for name in ways}
            for turn in range(WARM + drops):
                for name, run in ways.items():
                    before, cpu, begun = stage.ends(topics), process_tree.cpu_seconds(os.getpid()), time.perf_counter()
                    run()
                    seconds, used = time.perf_counter() - begun, process_tree.cpu_seconds(os.getpid()) - cpu
                    if turn >= WARM:
                        took[name].append((seconds, used, stage.ends(topics) - before))
        finally:
            spark.stop()
    return [_row(name, number, found) for name, found in took.items()]


def _row(way: str, number: int, found: Sequence[tuple[float, float, int]]) -> dict[str, Any]:
    seconds, used, messages = (statistics.median(values) for values in zip(*found, strict=True))
    return {
        "way": way,
        "alerts_per_s": round(number / seconds, 1),
        "cpu_s_per_1000": round(1000 * used / number, 2),
        "messages": messages,
    }


def _credentials(folder: Path, login: Mapping[str, str]) -> Path:
    place = folder / "credentials"
    place.mkdir()
    user, password = login["sasl.username"], login["sasl.password"]
    files = {"username": user, "password": password, "sasl.jaas.config": jaas_config(user, password)}
    for name, text in files.items():
        (place / name).write_text(text)
    return place


def _ways(settings: JobConfig, alerts: DataFrame) -> dict[str, Callable[[], object]]:
    known = {output.topic: Topic(output.topic, PARTITIONS) for output in settings.outputs}
    made = plan.make(settings.outputs, alerts.schema, known, None, lambda output, schema: None)
    single = SinglePass(made, conditions.find(alerts, made.outputs, PACKAGES))
    transactions = Transactions(settings.kafka, ID)

    def one_transaction() -> None:
        collected = fan_out.collect(single.encoded_once(alerts), single)
        transactions.begin(BATCH_BYTES)
        fan_out.fan_out(collected, single.outputs, transactions.send, lambda routed, size: True)
        transactions.flush()
        transactions.commit("benchmark", list(known))

    def one_for_each_task() -> None:
        envelopes = [fan_out.envelope(projection) for projection in single.projections]
        sending = Sending(settings.kafka, ID, single.outputs, envelopes, BATCH_BYTES, "benchmark")
        single.encoded_once(alerts).rows.mapInArrow(sending, "sent long").collect()

    def sink() -> None:
        options = kafka_sink.options(settings, kafka_sink.shared(BATCH_BYTES, len(known) * PARTITIONS))
        single.over(alerts).rows.write.format("kafka").options(**options).mode("append").save()

    return {"one transaction": one_transaction, "one for each task": one_for_each_task, "Spark's sink": sink}


if __name__ == "__main__":
    main()
