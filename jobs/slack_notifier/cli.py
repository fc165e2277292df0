"""The command line."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import click

from job_settings.command_line import SETTINGS, config_options, load_or_exit, log_to_stderr
from slack_notifier import config as configuration


@click.command(context_settings=SETTINGS)
@config_options(
    "The configuration: a JSON or YAML document after schemas/slack-notifier.schema.json.", "connect to nothing"
)
def main(file: Path, check: bool) -> None:
    """Announce alerts of Kafka's topics in Slack.

    Reads the topics of all routes, gathers the alerts of each channel or person into a digest, and sends it when its interval is over, at
    the pace that Slack allows. How far the alerts are settled is kept by Kafka, in the consumer group, and only after Slack has taken the
    message that shows or counts them. While Slack is away nothing is lost; when it is back, one digest a channel shows the first alerts
    and counts the others.

    Run one process with a group: the pace, the digests and what is a repeat are its own. A second one takes over, and the first ends.

    \b
    Exit status:
      0  SIGTERM or SIGINT; what was gathered and not sent is read again at the next start
      2  the configuration is wrong; the message says where
      1  anything else

    \b
    Example:
      python -m slack_notifier --config slack.yaml --check && python -m slack_notifier --config slack.yaml
    """
    loaded = load_or_exit(configuration.load, file)
    if check:
        click.echo(f"{file}: good, {len(loaded.routes)} routes from {len(loaded.topics)} topics")
        return
    log_to_stderr()
    # It logs what it also raises, which the notifier then reports.
    logging.getLogger("slack_sdk").setLevel(logging.CRITICAL)
    # Here, so that --check and --help do not wait for Kafka's client.
    from job_settings.endpoints import PortError
    from slack_notifier import run
    from slack_notifier.alert_topics import TakenOverError

    try:
        run.run(loaded)
    except PortError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(1)
    except TakenOverError as error:
        click.echo(
            f"error: another notifier has started with the group {loaded.group} and has taken over ({error}). Run one with a group: "
            "leave it to the other, or give this one a group of its own.",
            err=True,
        )
        sys.exit(1)
