"""`fink start distribution_test`: what lies in the topic, decoded and printed."""

from __future__ import annotations

from pathlib import Path

import click

from fink_distribution.cli.fink_kafka.reaching import home
from fink_distribution.cli.start.preparing import (
    EXIT_STATUS,
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
from fink_distribution.local_jobs.documents import console_options, login_files
from fink_distribution.local_jobs.folder import JobFolder
from fink_distribution.local_kafka.java import find_java

_EPILOG = f"""\b
Examples:
  fink start distribution_test
  fink start distribution_test --columns objectId,candidate.magpsf,candidate.jd --rows 5
  fink start distribution_test --from latest | tee seen.txt

{EXIT_STATUS}"""


@click.command(
    "distribution_test", epilog=_EPILOG, short_help="Prints the alerts of the topic, as a consumer reads them."
)
@config_option
@check_option
@click.option(
    "--interval",
    type=click.IntRange(1, 3600),
    default=2,
    show_default=True,
    help="Seconds between two looks at the topic.",
)
@click.option(
    "--columns",
    metavar="NAME[,...]",
    help="What is printed of an alert, candidate.magpsf for a field of a struct.  [default: the columns with simple values that fit]",
)
@click.option(
    "--rows",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="How many alerts are printed at a time; all are counted.",
)
@click.option(
    "--from",
    "beginning",
    type=click.Choice(["earliest", "latest"]),
    default="earliest",
    show_default=True,
    help="Begin with what lies in the topic, or with what comes.",
)
def distribution_test(
    config_file: Path | None, check: bool, interval: int, columns: str | None, rows: int, beginning: str
) -> None:
    """Read the topic with Spark, decode the alerts with the schema that the distribution has stored at DISTRIBUTION_SCHEMA, and print them.

    It logs in as the consumer of the configuration, sees committed alerts only, and leaves no trace in its group: each run begins anew.
    """
    with problems():
        file, found = settings(config_file, local_settings.topic_console)
        if check:
            programs.require(programs.CONSOLE)
            find_java()
            click.echo(f"{file}: good: {found.topic} at {said_of(found.kafka)}, with the schema {found.schema_file}")
            return
        folder = connectors(programs.CONSOLE)
        job = JobFolder(home(), "distribution_test", found.group)
        job.write_login(login_files(found.kafka))
        chosen = ["--interval", str(interval), "--rows", str(rows), "--from", beginning]
        if columns is not None:
            chosen += ["--columns", columns]
        say(f"Reading {found.topic} at {said_of(found.kafka)}; Ctrl-C ends it.")
        programs.become(programs.CONSOLE, [*console_options(found, job.credentials, folder), *chosen])
