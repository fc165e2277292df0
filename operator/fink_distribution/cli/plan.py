"""`fink plan`: what the operator would change in Kafka."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

import click

from fink_distribution.cli.commands import Exit, PipelineCommand
from fink_distribution.cli.progress import Progress
from fink_distribution.cli.reaching_kafka import TO_LOOK_AT_ALL, explained, kafka_options, open_kafka
from fink_distribution.errors import ReconcileError

if TYPE_CHECKING:
    from fink_distribution.cli.rendering import Report
    from fink_distribution.kafka.admin import KafkaAdmin
    from fink_distribution.manifests.bundle import Bundle
    from fink_distribution.manifests.ledgers import Ledger
    from fink_distribution.manifests.planning import Listing

_EPILOG = """\b
Examples:
  fink plan -f manifests/ -R --command-config admin.properties
  kustomize build overlays/prod | fink plan -f -          with FINK_KAFKA_CONFIG set
  fink plan -f topics.yaml --first-apply                  nothing there is ours yet: would it be refused?
  fink plan -f manifests/ --applied main/manifests/       on a branch: also what goes because it was taken out
  kubectl get fink -A -o yaml > live.yaml; fink plan -f manifests/ --applied live.yaml
  fink plan -f manifests/ -o json | jq '.resources[] | select(.action != "none")'

\b
Exit status:
  0  nothing to do
  1  an error: manifests that are wrong, Kafka out of reach, or something that the operator would refuse
  2  there are changes
"""


@click.command(cls=PipelineCommand, epilog=_EPILOG, short_help="What the operator would change in Kafka.")
@click.option(
    "-f",
    "--filename",
    "paths",
    multiple=True,
    required=True,
    metavar="PATH",
    help="A file or folder with manifests (.yaml, .yml, .json), or - for standard input. May be given more than once.",
)
@click.option("-R", "--recursive", is_flag=True, help="Also the folders within folders.")
@click.option(
    "--applied",
    multiple=True,
    metavar="PATH",
    help="What was applied before: the manifests of the main branch, or what kubectl get fink -A -o yaml printed. It says what is the "
    "resources' own, and what is declared no more.",
)
@click.option("--first-apply", is_flag=True, help="Take nothing that exists in Kafka as the manifests' own.")
@click.option(
    "-n", "--namespace", default="default", show_default=True, help="The namespace of manifests that name none."
)
@click.option(
    "--connection", metavar="NAME", help="Only the resources of this KafkaConnection; needed when they name several."
)
@kafka_options
@click.option(
    "-o",
    "--output",
    type=click.Choice(["diff", "json"]),
    default="diff",
    show_default=True,
    help="For people, or for pipelines (its fields: docs/plan-and-export.md).",
)
def plan(
    paths: tuple[str, ...],
    recursive: bool,
    applied: tuple[str, ...],
    first_apply: bool,
    namespace: str,
    connection: str | None,
    command_config: str | None,
    bootstrap_server: str | None,
    timeout: float,
    output: str,
) -> None:
    """Show what the operator would change in Kafka for these manifests; change nothing.

    It compares manifests with a live Kafka by the operator's own plans and needs no Kubernetes. Manifests are checked first against the
    schemas of the kinds. Not checked are the schemas' rules in CEL, which need an API server (kubectl apply --dry-run=server), and what is
    known only in the cluster: whether a Secret's password is the one that Kafka has, and the policies of the KafkaConnection.

    A topic or user that exists is taken as the manifests' own, as it is once they have been applied. --first-apply and --applied say it
    otherwise. Configuration and permissions in Kafka that nobody declares are left alone, as the operator leaves them.
    """
    from fink_distribution.cli.rendering import as_json, print_diff

    if first_apply and applied:
        raise click.UsageError("--first-apply and --applied contradict each other; give one of the two.")
    with Progress() as progress:
        progress.say("reading the manifests")
        bundle = _bundle(paths, namespace, connection, recursive=recursive)
        ledger = _ledger(applied, first_apply, namespace, connection, recursive=recursive)
        admin = open_kafka(command_config, bootstrap_server, timeout)
        progress.say(f"asking {admin.login.bootstrap_servers} what there is")
        try:
            report = asyncio.run(_report(admin, bundle, ledger))
        except ReconcileError as error:
            raise click.ClickException(explained(error, admin.login, command_config, TO_LOOK_AT_ALL)) from None
    if output == "json":
        click.echo(json.dumps(as_json(report), indent=2))
    else:
        from rich.console import Console

        print_diff(Console(highlight=False, soft_wrap=True, emoji=False), report)
    if report.has_problems:
        sys.exit(Exit.ERROR)
    sys.exit(Exit.CHANGES if report.has_changes else Exit.NOTHING_TO_DO)


def _bundle(paths: tuple[str, ...], namespace: str, connection: str | None, *, recursive: bool) -> Bundle:
    from fink_distribution.manifests.bundle import Bundle
    from fink_distribution.manifests.problems import ManifestError
    from fink_distribution.manifests.reading import read

    try:
        bundle = Bundle.of(read(paths, sys.stdin, recursive=recursive), namespace)
    except ManifestError as error:
        count = len(error.problems)
        raise click.ClickException(f"{count} problem(s) in the manifests; nothing was planned.\n{error}") from None
    named = sorted(bundle.connections())
    if connection is None and len(named) > 1:
        raise click.ClickException(
            f"The manifests are about several Kafka clusters: {', '.join(named)}. Say by --connection NAME which one this is."
        )
    return bundle if connection is None else bundle.of_connection(connection)


def _ledger(
    applied: tuple[str, ...], first_apply: bool, namespace: str, connection: str | None, *, recursive: bool
) -> Ledger:
    from fink_distribution.manifests.ledgers import Ledger, Source

    if applied:
        return Ledger(Source.APPLIED, _bundle(applied, namespace, connection, recursive=recursive))
    return Ledger(Source.EMPTY if first_apply else Source.ASSUMED)


async def _report(admin: KafkaAdmin, bundle: Bundle, ledger: Ledger) -> Report:
    from fink_distribution.cli.rendering import Report
    from fink_distribution.manifests.planning import plan_bundle, taken_as_own

    bundles = [bundle] if ledger.applied is None else [bundle, ledger.applied]
    facts = await admin.facts()
    planned = plan_bundle(bundle, await _look(admin, bundles), ledger)
    notes = []
    if taken := taken_as_own(planned, bundle, ledger):
        notes.append(
            f"{taken} topic(s) or user(s) exist and are taken as these manifests' own. If they have never been applied, look with "
            "--first-apply."
        )
    if bundle.left_out:
        notes.append(f"{bundle.left_out} object(s) of other kinds were left out.")
    applied = {} if ledger.applied is None else ledger.applied.origins
    return Report(
        facts.cluster_id, admin.login.bootstrap_servers, ledger.source, planned, {**applied, **bundle.origins}, notes
    )


async def _look(admin: KafkaAdmin, bundles: list[Bundle]) -> Listing:
    from fink_distribution.kafka import acls, quotas, topics, users
    from fink_distribution.manifests.planning import Listing, names_in_kafka
    from fink_distribution.resources.keys import Kind

    topic_names, user_names = names_in_kafka(bundles)
    has_acls = any(key.kind is Kind.KAFKA_ACL for bundle in bundles for key in bundle.bodies)
    has_quotas = any(
        key.kind is Kind.KAFKA_USER and (body["spec"].get("quotas") or (body.get("status") or {}).get("quotas"))
        for bundle in bundles
        for key, body in bundle.bodies.items()
    )
    return Listing(
        await topics.observe(admin, topic_names & await admin.topic_names() if topic_names else ()),
        await users.observe(admin, user_names),
        await acls.observe(admin) if has_acls else {},
        await quotas.observe(admin) if has_quotas else {},
    )
