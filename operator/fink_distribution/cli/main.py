"""`fink`: the operator's command."""

from __future__ import annotations

import sys

import click
from pydantic import ValidationError

from fink_distribution.cli.commands import PipelineGroup
from fink_distribution.cli.doctor import doctor
from fink_distribution.cli.export import export
from fink_distribution.cli.plan import plan
from fink_distribution.cli.rotate import rotate
from fink_distribution.cli.schema import schema
from fink_distribution.cli.start import start
from fink_distribution.cli.verify import verify
from fink_distribution.settings import Settings

EXIT_BAD_SETTINGS = 2

_EPILOG = """\b
Examples:
  fink run                                  the operator, with the kubeconfig or as the pod's ServiceAccount
  FINK_WATCH_NAMESPACES=ztf,lsst fink run   ... for two namespaces only
  fink rotate community -n ztf --wait       a new password for a KafkaUser
  fink settings                             what can be set, by which variable, and what it is now
  fink plan -f manifests/                   what the operator would change in Kafka; needs no Kubernetes
  fink export -n ztf -d manifests/          manifests for the topics, users and permissions that a Kafka has
  fink schema show fink_sn_ztf              the Avro schema of the alerts in a topic
  fink start distribution                   publish alerts from here, without Kubernetes
  fink verify ztf -n fink                   was each alert published once?
  fink doctor                               what this machine, Kafka and Kubernetes have, and what they lack
  fink plan --help                          more examples, and the exit statuses for pipelines

\b
Shell completion:
  bash   eval "$(_FINK_COMPLETE=bash_source fink)"
  zsh    eval "$(_FINK_COMPLETE=zsh_source fink)"
  fish   _FINK_COMPLETE=fish_source fink | source
"""


@click.group(cls=PipelineGroup, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fink-distribution")
def main() -> None:
    """Redistribute astronomical alerts over Kafka, declared as Kubernetes resources."""


main.add_command(rotate)
main.add_command(plan)
main.add_command(export)
main.add_command(schema)
main.add_command(start)
main.add_command(doctor)
main.add_command(verify)


@main.command()
def run() -> None:
    """Run the operator until it is told to stop (SIGTERM, Ctrl-C).

    It reads its settings from the environment: see `fink settings`. Exit status: 0 stopped, 2 a setting is wrong, 3 another
    operator has taken the Lease, 4 a port is taken.
    """
    settings = _settings()
    from fink_distribution.handlers.run import leave
    from fink_distribution.handlers.run import run as run_operator

    leave(run_operator(settings))


@main.command()
def settings() -> None:
    """Print what can be set, by which environment variable, and what it is now."""
    from rich.console import Console
    from rich.table import Table

    found = _settings()
    table = Table("variable", "value", "meaning", box=None, pad_edge=False)
    for name, field in Settings.model_fields.items():
        table.add_row(f"FINK_{name.upper()}", str(getattr(found, name)), field.description or "")
    Console().print(table)


def _settings() -> Settings:
    try:
        return Settings()  # type: ignore[call-arg]
    except ValidationError as error:
        for problem in error.errors():
            name = "_".join(str(part) for part in problem["loc"]).upper()
            click.echo(f"FINK_{name}: {problem['msg']} (it is {problem['input']!r}). See: fink settings", err=True)
        sys.exit(EXIT_BAD_SETTINGS)
