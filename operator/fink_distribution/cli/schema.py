"""`fink schema`: the schema of the alerts in a topic."""

from __future__ import annotations

import json
from pathlib import Path

import click

from fink_distribution.cli.commands import PipelineCommand, PipelineGroup
from fink_distribution.cli.progress import Progress
from fink_distribution.cli.reaching_kafka import explained, kafka_options, kafka_settings, login_of
from fink_distribution.errors import ReconcileError
from fink_distribution.kafka.client_config import registry_settings

_NEEDS = "It needs Read and Describe on the topic."
_EPILOG = """\b
Examples:
  fink schema show fink_sn_candidates_ztf                          the schema as JSON
  fink schema show fink_sn_candidates_ztf | jq '.fields[].name'    the columns
  fink schema show TOPIC --schema-registry https://registry:8081   of a topic in the format Confluent

\b
Exit status:
  0  the schema is on standard output
  1  an error
"""


@click.group(cls=PipelineGroup, short_help="The schema of the alerts in a topic.")
def schema() -> None:
    """The Avro schema of alerts."""


@schema.command(cls=PipelineCommand, epilog=_EPILOG, short_help="The schema of a topic's newest alert.")
@click.argument("topic")
@click.option(
    "--schema-registry",
    metavar="URL",
    help="For the format Confluent: the registry; in place of the file's schema.registry.url. Its login and authority stand "
    "in the file: basic.auth.user.info=USER:PASSWORD, schema.registry.ssl.ca.location=FILE.",
)
@kafka_options
def show(
    topic: str, schema_registry: str | None, command_config: str | None, bootstrap_server: str | None, timeout: float
) -> None:
    """Print the Avro schema of the newest alert in TOPIC, as JSON.

    It is read from the topic itself (SchemaInKey: the message's key; ObjectContainer: the head of its value; Confluent: the registry), so it is
    what readers get. Nothing is written, and no consumer group is used; the login needs Read and Describe on the topic.
    """
    from fink_distribution.kafka.message_schemas import NoSchemaError, from_registry, schema_of
    from fink_distribution.kafka.newest import newest_message

    settings = kafka_settings(command_config, bootstrap_server)
    registry = registry_settings(Path(command_config).read_text(encoding="utf-8")) if command_config else {}
    url = schema_registry or registry.get("schema.registry.url")

    def ask(number: int) -> str:
        if url is None:
            raise NoSchemaError(
                f"The alerts in {topic} name their schema by an id ({number}) of a registry. Give --schema-registry URL, or "
                "schema.registry.url in the file of --command-config."
            )
        login, authority = registry.get("basic.auth.user.info"), registry.get("schema.registry.ssl.ca.location")
        return from_registry(url, number, login, authority, timeout)

    with Progress() as progress:
        progress.say(f"reading the newest alert of {topic}")
        try:
            message = newest_message(settings, topic, timeout)
            if message is None:
                raise NoSchemaError(f"The topic {topic} has no alert yet, and so no schema.")
            found = schema_of(message, ask)
        except ReconcileError as error:
            raise click.ClickException(explained(error, login_of(settings), command_config, _NEEDS)) from None
        except NoSchemaError as error:
            raise click.ClickException(str(error)) from None
    click.echo(json.dumps(found.document, indent=2, ensure_ascii=False))
    click.echo(f"{found.format}, CRC-64-AVRO {found.fingerprint}", err=True)
