"""The command line."""

from __future__ import annotations

import logging
import os
import warnings
from pathlib import Path

import click

from distribution_job import config as configuration
from job_settings.command_line import SETTINGS, config_options, load_or_exit, log_to_stderr


@click.command(context_settings=SETTINGS)
@config_options(
    "The job's configuration: a JSON document after schemas/stream-job.schema.json.",
    "start nothing, connect to nothing",
)
def main(file: Path, check: bool) -> None:
    """Distribute science alerts to Kafka.

    Watches a folder of Parquet files (source.path), or reads from a Delta or Iceberg table, a database's table or another
    topic, each alert once, and publishes to each output's topic the alerts that its filter lets through, in the output's
    format: by default the message's key is the Avro schema as JSON, its value the alert in Avro, as fink-client expects. Files must appear whole: write under a name that begins with "_" or ".", then rename. The folder
    may be empty, or not be there yet.

    What has been distributed is remembered in checkpoint.path; start the job again with the same one and it goes on where
    it ended. With delivery.guarantee ExactlyOnce, the default, each alert is then in each topic once, for readers with
    isolation.level=read_committed; with AtLeastOnce, what was sent of the last batch before a crash is sent again.

    An output whose filter, topic or columns are wrong is left out and reported, and the others go on; its files wait in
    the checkpoint and are sent when it works again. A file that cannot be read is put aside and tried again when it
    changes.

    \b
    Environment:
      FINK_FILTER_PACKAGES  packages that Python filters may come from, comma-separated
                            (default: fink_filters,distribution_job.filters)
      FINK_READY_FILE       a file that exists while new alerts are looked for (a readiness probe)
      POD_NAME, POD_IP      in a Kubernetes pod: this driver's name and address

    \b
    Exit status:
      0  SIGTERM or SIGINT: the running batch was finished, nothing was interrupted
      2  the configuration is wrong; the message says where
      1  anything else

    \b
    Example:
      python -m distribution_job --config stream.json --check && python -m distribution_job --config stream.json
    """
    loaded = load_or_exit(configuration.load, file)
    if check:
        click.echo(f"{file}: good, {len(loaded.outputs)} outputs from {loaded.source.place}")
        return
    log_to_stderr()
    # py4j reports what a batch raises, which is how a batch is refused while draining; the job reports the rest itself.
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    # fink-filters' ZTF functions are declared in the old way.
    warnings.filterwarnings("ignore", category=UserWarning, module=r"pyspark\.sql\.pandas")
    # Here, so that --check and --help do not wait for Spark's import.
    from distribution_job import run

    run.run(loaded)
    # Without waiting for Kafka's clients: with its brokers away, librdkafka can take for ever to end.
    logging.shutdown()
    os._exit(0)
