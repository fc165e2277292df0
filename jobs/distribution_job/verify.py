"""`python -m distribution_job.verify`: recounts what was published against what the filters let through."""

from __future__ import annotations

import json
import logging
import os
import sys
from dataclasses import replace
from pathlib import Path

import click

from distribution_job import config as configuration
from distribution_job.config import JobConfig
from distribution_job.failures import JobError, choices
from distribution_job.ledger import now_ms
from distribution_job.outputs import Output
from distribution_job.source_config import milliseconds
from distribution_job.verification.report import Exit
from job_settings.command_line import SETTINGS, load_or_exit, log_to_stderr

LOG = logging.getLogger("distribution_job.verify")
_DAY = 86_400_000  # ms


@click.command(context_settings=SETTINGS)
@click.option(
    "--config", "file", required=True, type=click.Path(path_type=Path), help="The configuration of the stream's job."
)
@click.option(
    "--since",
    metavar="TIME",
    help="Deliveries that ended then or later (RFC 3339, 2026-01-31T22:00:00Z).  [default: a day ago]",
)
@click.option(
    "--only",
    "names",
    multiple=True,
    metavar="NAME",
    help="This output only, and those that share its topic; several times.",
)
@click.option(
    "--limit",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="How many differences of each kind are listed of a topic; all are counted.",
)
@click.option(
    "--driver-memory", metavar="SIZE", help="Spark's memory, 2g for example, in place of the configuration's."
)
def main(file: Path, since: str | None, names: tuple[str, ...], limit: int, driver_memory: str | None) -> None:
    """Recount what a stream has published: was each alert that a filter lets through published to its topic exactly once?

    The files of each delivery are filtered again, and their ids are held against the ids of the messages in the topics. The stream may run
    meanwhile: only what was delivered before is looked at, nothing is written to its checkpoint or to Kafka, and no consumer group is used.
    The result is one line of JSON on standard output; what is done is said on standard error.

    \b
    Exit status:
      0  each alert is there once
      1  it differs; the result says which alerts
      2  it cannot be verified, or not all of it; the result or the message says why
    """
    loaded = load_or_exit(configuration.load, file)
    moment = _moment(since)
    outputs = _chosen(loaded, names)
    if driver_memory is not None:
        loaded = replace(loaded, spark_conf={**loaded.spark_conf, "spark.driver.memory": driver_memory})
    log_to_stderr()
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    # Here, so that --help does not wait for Spark's import.
    from distribution_job import diagnosis
    from distribution_job.verification.run import verify

    try:
        report = verify(loaded, moment, outputs, limit, LOG.info)
    except KeyboardInterrupt:
        _end(Exit.UNVERIFIED)
    except Exception as error:  # noqa: BLE001  whatever it is, nothing is known to differ
        click.echo(f"error: {error if isinstance(error, JobError) else diagnosis.sentence(error)}", err=True)
        _end(Exit.UNVERIFIED)
    click.echo(json.dumps(report.as_json(), ensure_ascii=False))
    _end(report.exit)


def _moment(since: str | None) -> int:
    if since is None:
        return now_ms() - _DAY
    try:
        return milliseconds(since)
    except ValueError as error:
        raise click.BadParameter(
            f"{since} is no time ({error}). Give one as 2026-01-31T22:00:00Z.", param_hint="--since"
        ) from None


def _chosen(config: JobConfig, names: tuple[str, ...]) -> list[Output]:
    known = {output.name: output for output in config.outputs}
    for name in names:
        if name not in known:
            raise click.BadParameter(f"the stream has no output {name}. {choices(name, known)}", param_hint="--only")
    topics = {known[name].topic for name in names or known}
    return [output for output in config.outputs if output.topic in topics]


def _end(status: Exit) -> None:
    # Without waiting for Kafka's clients, as in distribution_job.cli.
    logging.shutdown()
    sys.stdout.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
