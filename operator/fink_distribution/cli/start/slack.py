"""`fink start slack`: the Slack notifier, from the configuration file."""

from __future__ import annotations

from pathlib import Path

import click

from fink_distribution.cli.fink_kafka.reaching import home
from fink_distribution.cli.start.preparing import (
    EXIT_STATUS,
    check_document,
    check_option,
    config_option,
    problems,
    said_of,
    say,
    settings,
)
from fink_distribution.local_jobs import programs
from fink_distribution.local_jobs import settings as local_settings
from fink_distribution.local_jobs.documents import login_files, slack_document
from fink_distribution.local_jobs.folder import JobFolder
from fink_distribution.local_jobs.settings import SlackNotifier

_EPILOG = f"""\b
Keys of the configuration besides those of fink_kafka:
  SLACK_API_TOKEN       the app's token, xoxb-...; it is read from the file itself, and stands nowhere else
  SLACK_CHANNEL         the channel for all alerts; without it each goes to the channel of its class
  SLACK_CHANNELS        only these channels of classes, rrlyr,ebwuma for example; without it, every one that exists
  SLACK_DIGEST_SECONDS  how long alerts are gathered for one message  [60]
  SLACK_CONSUMER_GROUP  the consumer group  [fink-slack]

{EXIT_STATUS}"""


@click.command(epilog=_EPILOG, short_help="Announces the alerts of the topic in Slack.")
@config_option
@check_option
def slack(config_file: Path | None, check: bool) -> None:
    """Announce the alerts that come into the topic in channels of Slack, in digests.

    It logs in to Kafka as the consumer of the configuration. How far it has come is kept in its own consumer group, so that nothing is lost
    while it does not run.
    """
    with problems():
        file, found = settings(config_file, local_settings.slack_notifier)
        if check:
            check_document(programs.NOTIFIER, slack_document(found, Path("/credentials"), file))
            click.echo(f"{file}: good: {found.topic} at {said_of(found.kafka)} to {_recipient(found)}")
            return
        programs.require(programs.NOTIFIER)
        job = JobFolder(home(), "slack", found.group)
        job.write_login(login_files(found.kafka))
        document = job.write_document(slack_document(found, job.credentials, file))
        say(f"Announcing {found.topic} at {said_of(found.kafka)} in {_recipient(found)}; Ctrl-C ends it.")
        programs.become(programs.NOTIFIER, ["--config", str(document)])


def _recipient(found: SlackNotifier) -> str:
    if found.channel is not None:
        return found.channel
    return ", ".join(found.channels) or "the channels of the alerts' classes"
