"""`fink_kafka`: manage a Kafka for the distribution of alerts."""

from __future__ import annotations

import click

from fink_distribution.cli.fink_kafka.authentication import authentication
from fink_distribution.cli.fink_kafka.authorization import authorization, list_acl
from fink_distribution.cli.fink_kafka.exits import EXIT_STATUS
from fink_distribution.cli.fink_kafka.grammar import Services
from fink_distribution.cli.fink_kafka.running import start, stop
from fink_distribution.cli.fink_kafka.topics import create_topic, delete_topic, describe_topic, list_topics

_EPILOG = f"""\b
Examples:
  fink_kafka start
  fink_kafka --create-topic fink_outstream
  fink_kafka --authentication -u community --password-file FILE
  fink_kafka --authorization -a -u community -c community -t fink_outstream
  fink_kafka --list-acl
  fink_kafka --list-topics --bootstrap-server kafka:9092 --command-config admin.properties
  fink_kafka --create-topic fink_outstream -o yaml | kubectl apply -f -

\b
Each has its own help: fink_kafka --authentication -h
Without --bootstrap-server and --command-config they are about the Kafka that fink_kafka start has started.

{EXIT_STATUS}"""


@click.group(
    cls=Services,
    epilog=_EPILOG,
    subcommand_metavar="OPTION [ARGS]...",
    options_metavar="",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package_name="fink-distribution")
def main() -> None:
    """Manage Fink's Kafka for the distribution of alerts."""


for _service in (
    start,
    stop,
    create_topic,
    delete_topic,
    describe_topic,
    list_topics,
    authentication,
    authorization,
    list_acl,
):
    main.add_command(_service)
