"""`fink_kafka start` and `stop`: the Kafka of this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from fink_distribution.cli.fink_kafka.declaring import acl_manifest, bindings, user_manifest
from fink_distribution.cli.fink_kafka.exits import EXIT_STATUS, Exit, Problem, contradiction
from fink_distribution.cli.fink_kafka.grammar import Service
from fink_distribution.cli.fink_kafka.output import done, say, warn
from fink_distribution.cli.fink_kafka.reaching import (
    config_option,
    config_path,
    home,
    local_cluster,
    read_configuration,
)
from fink_distribution.cli.progress import Progress
from fink_distribution.cli.reaching_kafka import open_kafka
from fink_distribution.errors import ReconcileError
from fink_distribution.local_kafka import configuration
from fink_distribution.local_kafka.cluster import Broker, LocalCluster
from fink_distribution.local_kafka.configuration import MOST_BROKERS, Configuration
from fink_distribution.local_kafka.errors import ConfigurationError, LocalKafkaError, PortTakenError, ToolError
from fink_distribution.resources.kafka_acl import Binding
from fink_distribution.resources.kafka_user import principal

_CALL_SECONDS = 5.0
_OTHERS_CAN_READ = 0o077
_STATUSES = {PortTakenError: Exit.PORT_TAKEN, ToolError: Exit.TOOL, ConfigurationError: Exit.CONFIGURATION}
_START_EPILOG = f"""\b
Examples:
  fink_kafka start                      one broker; makes ~/.fink/fink.conf the first time
  fink_kafka start --brokers 3          three, the first time
  FINK_HOME=/data/fink fink_kafka start

\b
Variables:
  FINK_HOME         the folder of configuration, data and logs [default: ~/.fink]
  JAVA_HOME         the Java to use [default: java on PATH]; 17 or newer
  KAFKA_HOME        a Kafka 4 to use, in place of fetching one into ~/.cache/fink-distribution
  KAFKA_HEAP_OPTS   the memory of a broker [default: -Xmx512m]

{EXIT_STATUS}"""


@click.command(cls=Service, epilog=_START_EPILOG, short_help="Starts a Kafka cluster on this machine.")
@click.option(
    "--brokers",
    type=click.IntRange(1, MOST_BROKERS),
    metavar="N",
    help="How many brokers, at the first start.  [default: 1]",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=60,
    show_default=True,
    help="Seconds until the brokers have to answer.",
)
@config_option
def start(brokers: int | None, timeout: float, config_file: Path | None) -> None:
    """Start a Kafka cluster on this machine, with the users of the configuration: administrator, producer and consumer.

    Logins are SASL/SCRAM-SHA-512, and what no ACL allows is denied. The producer may publish to the topic of the configuration, and the
    consumer may read it. Without a configuration file one is made, with random passwords. Topics, users and permissions outlast stop.
    """
    file = config_path(config_file)
    if not file.exists():
        configuration.generate(file, brokers or 1)
        say(f"{file} made, with random passwords that only you can read.")
    settings = read_configuration(config_file)
    if brokers is not None and brokers != len(settings.servers):
        raise contradiction(
            f"--brokers {brokers}: {file} has {len(settings.servers)}. Leave --brokers out, or write the addresses you want into its DISTRIBUTION_SERVERS."
        )
    if file.stat().st_mode & _OTHERS_CAN_READ:
        warn(f"Others can read the passwords in {file}: chmod 600 {file}")
    cluster = local_cluster()
    with _problems(), Progress() as progress, cluster.alone(progress.say):
        started = cluster.start(settings, progress.say)
        progress.say("waiting for the brokers")
        try:
            _make_usable(cluster, settings, started, timeout)
        except BaseException:
            cluster.stop(started)
            raise
    _say_how_to_connect(cluster, settings, started)


@click.command(cls=Service, epilog=EXIT_STATUS, short_help="Stops the running Kafka cluster of this machine.")
def stop() -> None:
    """Stop the Kafka cluster of this machine; its data stay for the next start."""
    cluster = local_cluster()
    if not cluster.folder.exists():
        done(f"No Kafka runs here: there is none in {home()}.")
        return
    with Progress() as progress, cluster.alone(progress.say):
        running = cluster.running()
        progress.say(f"stopping {len(running)} broker(s)")
        killed = cluster.stop(running)
    for broker in killed:
        warn(
            f"Broker {broker.number} did not end by itself and was killed; its next start checks its data. Its log: {broker.log}"
        )
    done(f"Kafka stopped. Its data stay in {cluster.folder}." if running else "No Kafka runs here.")


def _make_usable(cluster: LocalCluster, settings: Configuration, started: list[Broker], seconds: float) -> None:
    """Wait for the brokers, and give them the users of the configuration."""
    from fink_distribution.cli.fink_kafka import changes
    from fink_distribution.kafka.protocol import end_protocol_client
    from fink_distribution.local_kafka.readiness import ready

    admin = open_kafka(str(cluster.client_file("admin")), None, _CALL_SECONDS)
    rights = ((settings.producer, _producer_rights(settings)), (settings.consumer, _consumer_rights(settings)))

    async def give() -> None:
        await ready(admin, settings.servers, started, seconds)
        for account, wanted in rights:
            await changes.write_user(admin, user_manifest(account.user), account.password)
            await changes.grant(admin, principal(account.user), wanted)

    try:
        asyncio.run(give())
    finally:
        end_protocol_client(admin)


def _producer_rights(settings: Configuration) -> frozenset[Binding]:
    """Return what the distribution needs: a producer's rights, and those for its transactions and their marks."""
    topic, name = settings.topic, settings.transactional_id
    own = acl_manifest(settings.producer.user, [topic], None, produces=True, host=None)
    more = {("Topic", topic, "Read"), ("Topic", topic, "DescribeConfigs"), ("Group", name, "Read")}
    more |= {("TransactionalId", name, operation) for operation in ("Write", "Describe")}
    return bindings(own) | {Binding(kind, what, "Literal", operation, "*") for kind, what, operation in more}


def _consumer_rights(settings: Configuration) -> frozenset[Binding]:
    """Return what a reader needs, with a group for `fink start distribution_test` and one for `fink start slack`."""
    own = acl_manifest(settings.consumer.user, [settings.topic], settings.group, produces=False, host=None)
    return bindings(own) | {Binding("Group", settings.slack_group, "Literal", "Read", "*")}


@contextmanager
def _problems() -> Iterator[None]:
    """Give what goes wrong its exit status."""
    try:
        yield
    except LocalKafkaError as error:
        raise Problem(_STATUSES.get(type(error), Exit.FAILED), str(error)) from None
    except ReconcileError as error:
        raise Problem(Exit.FAILED, error.message) from None


def _say_how_to_connect(cluster: LocalCluster, settings: Configuration, started: list[Broker]) -> None:
    state = f"{len(started)} broker(s) started" if started else "Kafka runs already"
    done(f"{state}: it listens at {settings.bootstrap_servers} (SASL_PLAINTEXT, SCRAM-SHA-512).")
    for role, account in settings.accounts.items():
        say(f"  {role:<9} {account.user:<16} {cluster.client_file(role)}")
    say(
        f"The files hold the logins, for --command-config of Kafka's own tools and of fink plan. Logs: {cluster.folder}/broker-*/broker.log"
    )
