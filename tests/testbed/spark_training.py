"""A small job without Kafka, whose JVM writes an archive of the classes that it has used as it ends (JEP 350).

`python -m testbed.spark_training ARCHIVE JARS`
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from demo import science_alerts
from distribution_job import conditions, plan, session
from distribution_job.alert_files import AlertFile
from distribution_job.alert_reader import AlertReader
from distribution_job.discovery import Discovery
from distribution_job.outputs import Output
from distribution_job.single_pass import SinglePass
from distribution_job.topics import Topic

_OUTPUTS = (
    Output("all", "all"),
    Output("bright", "bright", python="distribution_job.filters.bright.bright_and_real", select=("objectId", "candid")),
    Output("sn", "sn", sql="snn_snia_vs_nonia > 0.5", drop=("cutoutScience",)),
)


def main(archive: str, jars: str) -> None:
    """Find files, filter and encode them."""
    options = f"-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:ArchiveClassesAtExit={archive} -Xlog:cds=off -Xlog:cds+dynamic=off"
    conf = {"spark.master": "local[2]", "spark.jars": jars, "spark.driver.extraJavaOptions": options}
    spark = session.start("training", conf)
    with tempfile.TemporaryDirectory() as folder:
        science_alerts.write(Path(folder, "science"), science_alerts.generate(100, seed=2), files=2)
        discovery = Discovery(spark, f"{folder}/science", Path(folder, "checkpoint"), 10, 0)
        reader = AlertReader(spark, f"{folder}/science")
        topics = {output.topic: Topic(output.topic, 4) for output in _OUTPUTS}

        def batch(_: int, files: Sequence[AlertFile]) -> None:
            for _files, alerts in reader.tables(files):
                made = plan.make(_OUTPUTS, alerts.schema, topics, None, lambda output, schema: None)
                found = conditions.find(alerts, made.outputs, ("distribution_job.filters",))
                SinglePass(made, found).encoded_once(alerts).rows.toArrow()

        discovery.give_next(batch)
    gateway = spark.sparkContext._gateway
    spark.stop()
    # It writes the archive when it hears that this process has gone; whoever waits for this process waits for that as well.
    gateway.proc.stdin.close()
    gateway.proc.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
