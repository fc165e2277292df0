"""`fink export`: manifests for what a Kafka has already."""

from __future__ import annotations

import asyncio
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fink_distribution.cli.commands import PipelineCommand
from fink_distribution.cli.progress import Progress
from fink_distribution.cli.reaching_kafka import TO_LOOK_AT_ALL, explained, kafka_options, open_kafka
from fink_distribution.errors import ReconcileError

if TYPE_CHECKING:
    from fink_distribution.kafka.admin import KafkaAdmin
    from fink_distribution.manifests.exporting import Export
    from fink_distribution.manifests.inventory import Inventory

_EPILOG = """\b
Examples:
  fink export --command-config admin.properties -n ztf -d manifests/
  fink export --topics 'ztf*' --topics 'lsst*'            only these topics
  fink export --users 'community-*'                       only these users, with their permissions
  fink export | fink plan -f -                            nothing to do: what was exported is what there is
  fink export -n ztf | kubectl apply --dry-run=server -f -

\b
Exit status:
  0  exported; what could not be is named on stderr and in the first comment
  1  an error
"""


@click.command(cls=PipelineCommand, epilog=_EPILOG, short_help="Manifests for what a Kafka has already.")
@click.option("--topics", "topic_globs", multiple=True, metavar="GLOB", help="Only topics of this name, as in 'ztf*'.")
@click.option(
    "--users",
    "user_globs",
    multiple=True,
    metavar="GLOB",
    help="Only users of this name, and their permissions. With one of --topics and --users, only what it names is exported.",
)
@click.option("-n", "--namespace", help="The namespace to write into the manifests; without it, none.")
@click.option(
    "--connection", default="default", show_default=True, metavar="NAME", help="The KafkaConnection of this Kafka."
)
@click.option(
    "-d",
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write a file for each resource into this folder, in place of one stream to standard output.",
)
@click.option("--overwrite", is_flag=True, help="With -d, replace files that are there with another content.")
@kafka_options
def export(
    topic_globs: tuple[str, ...],
    user_globs: tuple[str, ...],
    namespace: str | None,
    connection: str,
    directory: Path | None,
    overwrite: bool,
    command_config: str | None,
    bootstrap_server: str | None,
    timeout: float,
) -> None:
    """Write manifests for the topics, users and permissions that a Kafka has already; change nothing.

    Applied, they take topics and permissions over as they are (adoptionPolicy: Adopt). Kafka gives no passwords away, so users are only looked at
    (mode: Observe), until somebody brings the password or lets the operator make a new one. Internal topics (__*) are left out. What cannot be
    declared, permissions of a principal without a user for example, is never dropped silently: it is named on stderr and in the first comment.
    """
    from fink_distribution.manifests.exporting import Target
    from fink_distribution.manifests.exporting import export as declare
    from fink_distribution.manifests.writing import files, stream, write

    with Progress() as progress:
        admin = open_kafka(command_config, bootstrap_server, timeout)
        progress.say(f"listing what {admin.login.bootstrap_servers} has")
        try:
            cluster_id, inventory = asyncio.run(_take(admin, topic_globs, user_globs))
        except ReconcileError as error:
            raise click.ClickException(explained(error, admin.login, command_config, TO_LOOK_AT_ALL)) from None
    found = declare(inventory, Target(namespace, connection), admin.login.username)
    remarks = _remarks(cluster_id, found)
    if directory is None:
        click.echo(stream(found.manifests, remarks), nl=False)
    else:
        try:
            write(directory, files(found.manifests, remarks), overwrite=overwrite)
        except FileExistsError as error:
            raise click.ClickException(
                f"{error}: there with another content. Nothing was written. --overwrite replaces it."
            ) from None
        except OSError as error:
            raise click.ClickException(f"{directory}: {error}") from None
        click.echo(f"{len(found.manifests)} manifest(s) written to {directory}.", err=True)
    for line in found.left_out:
        click.echo(f"not exported: {line!r}" if not line.isprintable() else f"not exported: {line}", err=True)


async def _take(admin: KafkaAdmin, topic_globs: tuple[str, ...], user_globs: tuple[str, ...]) -> tuple[str, Inventory]:
    from fink_distribution.kafka.inventory import take
    from fink_distribution.manifests.inventory import Inventory

    everything = not topic_globs and not user_globs
    facts = await admin.facts()
    names = frozenset(name for name in await admin.topic_names() if everything or _matches(name, topic_globs))
    found = await take(admin, names)
    return facts.cluster_id, Inventory(
        found.topics,
        {name: user for name, user in found.users.items() if everything or _matches(name, user_globs)},
        {who: own for who, own in found.bindings.items() if everything or _matches(_name(who), user_globs)},
        tuple(each for each in found.foreign if everything or _matches(_name(each.principal), user_globs)),
    )


def _matches(name: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)


def _name(principal: str) -> str:
    return principal.partition(":")[2]


def _remarks(cluster_id: str, found: Export) -> list[str]:
    lines = [
        f"Made by fink export from the Kafka cluster {cluster_id}.",
        "",
        "Topics: applying takes them over as they are (adoptionPolicy: Adopt); deleting a resource leaves its topic (deletionPolicy: Retain).",
        "Users: Kafka gives no passwords away, so they are only looked at (mode: Observe), and clients go on with the passwords they have.",
        "  docs/plan-and-export.md says how the operator takes one over.",
        "Permissions: applying takes them over (adoptionPolicy: Adopt); deleting a resource, or a line of it, revokes them.",
    ]
    if found.left_out:
        lines += ["", "Not exported:", *(f"- {line}" for line in found.left_out)]
    return lines
