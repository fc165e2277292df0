"""`python -m distribution_job.topic_console`: prints what lies in a topic, decoded with the schema that the distribution has stored."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from pathlib import Path

import click

from job_settings import kafka
from job_settings.command_line import BAD_CONFIG, SETTINGS, log_to_stderr

_NO_TERMINAL = (160, 24)


@click.command(context_settings=SETTINGS)
@click.option("--bootstrap-server", required=True, metavar="HOST:PORT[,...]", help="The brokers.")
@click.option(
    "--security-protocol",
    type=click.Choice(["SASL_PLAINTEXT", "SASL_SSL", "SSL", "PLAINTEXT"]),
    default="SASL_PLAINTEXT",
    show_default=True,
    help="Their listener's.",
)
@click.option(
    "--sasl-mechanism",
    type=click.Choice(["SCRAM-SHA-512", "SCRAM-SHA-256"]),
    default="SCRAM-SHA-512",
    show_default=True,
    help="How the login is done.",
)
@click.option(
    "--credentials",
    type=click.Path(path_type=Path),
    help="The login: a folder with the files username, password and sasl.jaas.config.",
)
@click.option(
    "--ca-file", type=click.Path(path_type=Path), help="The certificate of the brokers' authority (PEM), for TLS."
)
@click.option("--topic", required=True, help="The topic.")
@click.option("--group", required=True, help="The consumer group; nothing is committed in it.")
@click.option("--schema", required=True, type=click.Path(path_type=Path), help="The file with the alerts' Avro schema.")
@click.option(
    "--connectors",
    type=click.Path(path_type=Path),
    help="A folder with the jars of jobs/pom.xml, unless pyspark has them.",
)
@click.option("--from", "beginning", type=click.Choice(["earliest", "latest"]), default="earliest", show_default=True)
@click.option(
    "--interval", type=click.IntRange(1), default=2, show_default=True, help="Seconds between two looks at the topic."
)
@click.option(
    "--columns",
    default="",
    metavar="NAME[,...]",
    help="What is printed of an alert.  [default: simple columns that fit]",
)
@click.option(
    "--rows", type=click.IntRange(1), default=20, show_default=True, help="How many alerts are printed at a time."
)
def main(
    bootstrap_server: str,
    security_protocol: str,
    sasl_mechanism: str,
    credentials: Path | None,
    ca_file: Path | None,
    topic: str,
    group: str,
    schema: Path,
    connectors: Path | None,
    beginning: str,
    interval: int,
    columns: str,
    rows: int,
) -> None:
    """Print the alerts of a topic, as a Spark consumer reads and decodes them.

    The alerts are bare Avro, in the format SchemaInKey. While the schema's file or the topic is not there, or Kafka is away, that is said and
    waited for. Alerts that have another schema than the file are counted, and not shown.

    \b
    Exit status:
      0  SIGTERM or SIGINT
      2  an option is wrong
      1  anything else
    """
    connection = kafka.Kafka(
        bootstrap_server,
        security_protocol,
        sasl_mechanism if security_protocol.startswith("SASL") else None,
        credentials.absolute() if credentials else None,
        ca_file.absolute() if ca_file else None,
    )
    problems = kafka.contradictions(connection)
    if problems:
        raise click.UsageError("; ".join(problems))
    log_to_stderr()
    # As in distribution_job.cli: py4j reports what a batch raises, and the view reports it itself.
    logging.getLogger("py4j").setLevel(logging.CRITICAL)
    from distribution_job.topic_view import TopicView, UnknownColumnsError, View

    view = View(
        kafka=connection,
        topic=topic,
        group=group,
        schema_file=schema.absolute(),
        beginning=beginning,
        interval=interval,
        columns=tuple(filter(None, (name.strip() for name in columns.split(",")))),
        rows=rows,
        width=shutil.get_terminal_size(_NO_TERMINAL).columns,
        connectors=tuple(sorted(connectors.glob("*.jar"))) if connectors else (),
    )
    status = 0
    try:
        TopicView(view, _show).run()
    except UnknownColumnsError as error:
        click.echo(f"error: {error}", err=True)
        status = BAD_CONFIG
    # Without waiting for Kafka's clients, as in distribution_job.cli.
    logging.shutdown()
    sys.stdout.flush()
    os._exit(status)


def _show(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - it is what the program is for


if __name__ == "__main__":
    main()
