"""`fink start`: the distribution, a look at its topic, and the Slack notifier, on this machine."""

from __future__ import annotations

import click

from fink_distribution.cli.start.distribution import distribution
from fink_distribution.cli.start.preparing import EXIT_STATUS
from fink_distribution.cli.start.slack import slack
from fink_distribution.cli.start.topic_console import distribution_test

_EPILOG = f"""\b
Examples:
  fink_kafka start                  a Kafka on this machine, with its configuration
  fink_kafka --create-topic fink_outstream
  fink start distribution           alerts of $FINK_HOME/science to the topic
  fink start distribution_test      ... and what came, in another terminal

{EXIT_STATUS}"""


@click.group(epilog=_EPILOG, short_help="The distribution on this machine, without Kubernetes.")
def start() -> None:
    """Run a part of the distribution here, from the configuration file of fink_kafka, until it is told to stop (Ctrl-C, SIGTERM)."""


for _command in (distribution, distribution_test, slack):
    start.add_command(_command)
