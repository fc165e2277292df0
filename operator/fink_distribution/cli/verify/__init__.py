"""`fink verify`: was each alert that the filters let through published once?"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import click

from fink_distribution.cli.start.preparing import config_option
from fink_distribution.cli.verify import here, in_kubernetes
from fink_distribution.cli.verify.asking import MEMORY, Asked, Unverified, moment
from fink_distribution.cli.verify.rendering import print_report
from fink_distribution.streams.verification import Question

_EPILOG = """\b
Examples:
  fink verify ztf -n fink                               what was delivered in the last 24 hours
  fink verify ztf -n fink --since 2026-11-26T18:00:00Z  ... since then
  fink verify ztf -n fink --since 12h --only sn -o json | jq '.topics[].differences'
  fink verify -c fink.conf                              what fink start distribution has published from here

\b
Exit status:
  0  each alert is in its topic once
  1  it differs: alerts are missing, there more than once, or none of the stream's
  2  it cannot be verified, or not all of it, or an option is wrong
  3  what it needs on this machine is missing: Java, the packages of the jobs, or the connectors
"""


@click.command(epilog=_EPILOG, short_help="Recounts what a stream has published against its source.")
@click.argument("stream", required=False)
@click.option("-n", "--namespace", default="default", show_default=True, help="The namespace of the stream.")
@click.option(
    "--since",
    default="24h",
    show_default=True,
    metavar="TIME",
    help="Deliveries that ended then or later: 2026-01-31T22:00:00Z, or 12h, 90m, 7d ago.",
)
@click.option(
    "--only",
    "outputs",
    multiple=True,
    metavar="NAME",
    help="This output only, and those that share its topic. May be given more than once.",
)
@click.option(
    "--limit",
    type=click.IntRange(0, 1000),
    default=20,
    show_default=True,
    help="How many differences of each kind are listed of a topic; all are counted.",
)
@click.option(
    "--memory",
    type=MEMORY,
    metavar="SIZE",
    help="Of the Job's pod, 4Gi for example.  [default: the stream's spec.driver.memory]",
)
@click.option(
    "--timeout", type=click.IntRange(10), default=3600, show_default=True, help="Seconds after which it is ended."
)
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="A table, or all as JSON.",
)
@click.option(
    "--kubeconfig", type=click.Path(exists=True, dir_okay=False), help="Instead of $KUBECONFIG or ~/.kube/config."
)
@config_option
def verify(
    stream: str | None,
    namespace: str,
    since: str,
    outputs: tuple[str, ...],
    limit: int,
    memory: str | None,
    timeout: int,
    form: str,
    kubeconfig: str | None,
    config_file: Path | None,
) -> None:
    """Recount what STREAM has published: filter the files of each delivery again, and hold the alerts' ids against those in the topics.

    It runs as a Job in the stream's namespace, made after the driver's pod, and deleted when it has ended. Without STREAM, it runs on this
    machine, for the distribution of the configuration file. The stream may go on meanwhile: only what was delivered before is looked at;
    nothing is written to the checkpoint or to Kafka.
    """
    if stream is not None and config_file is not None:
        raise click.UsageError(
            "Give a STREAM of Kubernetes, or the configuration file of a distribution on this machine."
        )
    question = Question(moment(since), outputs, limit, memory, timeout)
    try:
        if stream is None:
            found = here.ask(config_file, question)
        else:
            found = asyncio.run(in_kubernetes.ask(Asked(namespace, stream, question), kubeconfig))
    except Unverified as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(Unverified.STATUS)
    except KeyboardInterrupt:
        sys.exit(Unverified.STATUS)  # click's own status would say that it differs
    if form == "json":
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        print_report(found)
    sys.exit(_STATUSES[found["result"]])


_STATUSES = {"equal": 0, "different": 1, "unverified": Unverified.STATUS}
