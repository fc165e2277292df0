"""`fink start distribution`: the distribution job, from the configuration file."""

from __future__ import annotations

from pathlib import Path

import click

from fink_distribution.cli.fink_kafka.declaring import checked, topic_manifest
from fink_distribution.cli.fink_kafka.reaching import home
from fink_distribution.cli.start.preparing import (
    EXIT_STATUS,
    check_document,
    check_option,
    config_option,
    connectors,
    problems,
    said_of,
    say,
    settings,
)
from fink_distribution.local_jobs import programs
from fink_distribution.local_jobs import settings as local_settings
from fink_distribution.local_jobs.documents import distribution_document, login_files
from fink_distribution.local_jobs.folder import JobFolder
from fink_distribution.local_jobs.manifests import remarks, stream_manifest
from fink_distribution.local_jobs.settings import Distribution
from fink_distribution.local_kafka.java import find_java
from fink_distribution.manifests.writing import stream
from fink_distribution.resources.stream_source import EARLIEST

# Where the job keeps what a checkpoint has begun with; docs/streams.md names it.
_BEGINNING = "beginning.json"

_EPILOG = f"""\b
Keys of the configuration besides those of fink_kafka; docs/local.md has all:
  SCIENCE_DATABASE         the folder of Parquet files                    [$FINK_HOME/science]
  DISTRIBUTION_TOPIC       the topic
  DISTRIBUTION_SCHEMA      where the schema of the alerts is written      [$FINK_HOME/schemas/distribution_schema]
  DISTRIBUTION_CHECKPOINT  what has been distributed is remembered there  [$FINK_HOME/checkpoints/distribution]
  DISTRIBUTION_OFFSET      earliest, latest, or a time; it counts only while the checkpoint is new  [earliest]
  DISTRIBUTION_FILTER      only alerts for which this condition in SQL holds
  DISTRIBUTION_METRICS_PORT  where it answers Prometheus                  [nowhere]

\b
Examples:
  fink start distribution
  fink start distribution --check -c /etc/fink.conf
  fink start distribution -o yaml | kubectl apply -f -

{EXIT_STATUS}"""


@click.command(epilog=_EPILOG, short_help="Publishes the alerts of the science database to the topic.")
@config_option
@check_option
@click.option(
    "-o",
    "--output",
    type=click.Choice(["yaml"]),
    help="Start nothing; print the manifests by which the operator does the same.",
)
@click.option("-n", "--namespace", help="With -o yaml, the namespace to write into the manifests.")
def distribution(config_file: Path | None, check: bool, output: str | None, namespace: str | None) -> None:
    """Publish the alerts of the science database to the topic, each once, and go on with those that come.

    The alerts are Parquet files in a folder, which may be empty or not be there yet. A file is read once it has its final name: write it
    under one that begins with "_" or ".", then rename it. What has been distributed is remembered in the checkpoint; started again, it
    goes on where it ended.
    """
    with problems():
        file, found = settings(config_file, local_settings.distribution)
        if output is not None:
            _print_manifests(found, namespace)
        elif check:
            _check(file, found)
        else:
            _start(found)


def _start(found: Distribution) -> None:
    folder = connectors(programs.JOB)
    job = JobFolder(home(), "distribution", found.transactional_id)
    job.write_login(login_files(found.kafka))
    document = job.write_document(distribution_document(found, job.credentials, sorted(folder.glob("*.jar"))))
    say(f"Distributing {found.science} to {found.topic} at {said_of(found.kafka)}; Ctrl-C ends it.")
    if found.starting_from != EARLIEST and Path(found.checkpoint, _BEGINNING).exists():
        say(f"DISTRIBUTION_OFFSET counts only while the checkpoint is new: {found.checkpoint} goes on where it ended.")
    programs.become(programs.JOB, ["--config", str(document)])


def _check(file: Path, found: Distribution) -> None:
    find_java()
    check_document(programs.JOB, distribution_document(found, Path("/credentials"), ()))
    click.echo(f"{file}: good: {found.science} to {found.topic} at {said_of(found.kafka)}")


def _print_manifests(found: Distribution, namespace: str | None) -> None:
    topic = topic_manifest(found.topic, None, None, namespace)
    manifest = checked(stream_manifest(found, topic["metadata"]["name"], namespace))
    click.echo(stream([topic, manifest], remarks(found)), nl=False)
