"""The options that say how a command reaches Kafka, and its failures as a user of the command line mends them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fink_distribution.errors import Reason, ReconcileError
from fink_distribution.kafka.client_config import ConfigError, client_settings

if TYPE_CHECKING:
    from fink_distribution.kafka.admin import KafkaAdmin
    from fink_distribution.kafka.login import Login

F = TypeVar("F", bound=Callable[..., Any])
CONFIG_VARIABLE = "FINK_KAFKA_CONFIG"
TO_LOOK_AT_ALL = (
    "It needs Describe and DescribeConfigs on the Cluster and on all topics; nothing else is asked of Kafka."
)


class NoServersError(click.ClickException):
    """Nothing says where Kafka is."""


def kafka_options(command: F) -> F:
    """Add the options to a command."""
    options = (
        click.option(
            "--command-config",
            metavar="FILE",
            envvar=CONFIG_VARIABLE,
            type=click.Path(exists=True, dir_okay=False),
            help="How to reach Kafka: a properties file as Kafka's own tools take it (security.protocol, sasl.mechanism, "
            "sasl.jaas.config, ssl.*), or librdkafka's (sasl.username, sasl.password). A login stands only there, never in an "
            f"argument.  [env: {CONFIG_VARIABLE}]",
        ),
        click.option(
            "--bootstrap-server",
            metavar="HOST:PORT[,...]",
            help="The brokers; in place of the file's bootstrap.servers.",
        ),
        click.option(
            "--timeout",
            type=click.FloatRange(min=1),
            default=10,
            show_default=True,
            help="Seconds that one call may take.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def kafka_settings(command_config: str | None, bootstrap_server: str | None) -> dict[str, str]:
    """Return librdkafka's settings of the Kafka that the options name.

    Raises
    ------
    click.ClickException
        The file cannot be used, or nothing says where Kafka is.
    """
    settings: dict[str, str] = {}
    if command_config is not None:
        try:
            settings = client_settings(Path(command_config).read_text(encoding="utf-8"))
        except (ConfigError, OSError, UnicodeDecodeError) as error:
            raise click.ClickException(f"{command_config}: {error}") from None
    if bootstrap_server is not None:
        settings["bootstrap.servers"] = bootstrap_server
    if not settings.get("bootstrap.servers"):
        raise NoServersError(
            "Nothing says where Kafka is. Give --bootstrap-server HOST:PORT, or bootstrap.servers in the file of --command-config "
            f"(or {CONFIG_VARIABLE})."
        )
    settings.setdefault("security.protocol", "PLAINTEXT")
    settings["client.id"] = "fink"
    return settings


def open_kafka(command_config: str | None, bootstrap_server: str | None, timeout: float) -> KafkaAdmin:
    """Return a client of the Kafka that the options name.

    Raises
    ------
    click.ClickException
        The file cannot be used, or nothing says where Kafka is.
    """
    from fink_distribution.kafka.admin import KafkaAdmin

    settings = kafka_settings(command_config, bootstrap_server)
    try:
        return KafkaAdmin(login_of(settings), timeout, settings=settings)
    except Exception as error:  # noqa: BLE001 - librdkafka's; it names the setting and its value, never a password's
        raise click.ClickException(f"{command_config}: librdkafka does not take it: {error}") from None


def login_of(settings: Mapping[str, str]) -> Login:
    """Return the login that stands in librdkafka's settings, for requests that librdkafka does not know."""
    from fink_distribution.kafka.login import Login, Tls

    protocol, tls = settings["security.protocol"].upper(), None
    if protocol.endswith("SSL"):
        ca = settings.get("ssl.ca.pem")
        if ca is None and settings.get("ssl.ca.location", "probe") != "probe":
            ca = Path(settings["ssl.ca.location"]).read_text(encoding="utf-8")
        verify = settings.get("ssl.endpoint.identification.algorithm", "https") != "none"
        tls = Tls(ca, settings.get("ssl.certificate.pem"), settings.get("ssl.key.pem"), verify)
    if not protocol.startswith("SASL"):
        return Login(settings["bootstrap.servers"], None, None, None, tls)
    mechanism = settings.get("sasl.mechanism", "SCRAM-SHA-512")
    username, password = settings.get("sasl.username", ""), settings.get("sasl.password", "")
    return Login(settings["bootstrap.servers"], mechanism, username, password, tls)


def explained(error: ReconcileError, login: Login, command_config: str | None, needs: str) -> str:
    """Return what to do about a failure; the operator's own words are about its resources.

    Parameters
    ----------
    needs
        The rights that the command needs, as a sentence.
    """
    servers = login.bootstrap_servers
    source = command_config or f"a file, and name it by --command-config or {CONFIG_VARIABLE}"
    match error.reason:
        case Reason.AUTHENTICATION_FAILED:
            return f"{servers} refused the login of {login.username or 'nobody'}. Correct user name, password or mechanism in {source}."
        case Reason.KAFKA_UNREACHABLE:
            return (
                f"No answer from {servers}. Check the address (--bootstrap-server, or bootstrap.servers in {source}), that "
                "security.protocol is that of the listener, and that the brokers run."
            )
        case Reason.NOT_AUTHORIZED:
            what = error.message.partition("Kafka does not allow it: ")[2].partition(". Make")[0] or error.message
            return f"Kafka does not allow {login.username or 'an anonymous client'} this: {what}. {needs}"
        case Reason.DELETION_DISABLED:
            return "The brokers have delete.topic.enable=false, so nobody can delete a topic. Set it to true on the controllers."
        case Reason.INVALID_CONFIG:
            return error.message.removesuffix(" Correct the spec accordingly.")
    return error.message
