"""What a look at Kafka finds: whether it answers, takes the logins, and allows them what they need."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fink_distribution.cli.doctor.findings import Area, Finding, State
from fink_distribution.cli.fink_kafka.reaching import home, local_cluster
from fink_distribution.cli.reaching_kafka import explained, login_of, open_kafka
from fink_distribution.errors import Reason, ReconcileError
from fink_distribution.local_jobs import settings as local_settings
from fink_distribution.local_jobs.settings import Kafka
from fink_distribution.local_kafka.configuration import HOST
from fink_distribution.local_kafka.errors import ConfigurationError

if TYPE_CHECKING:
    from fink_distribution.kafka.admin import KafkaAdmin

FOR_ADMINISTRATORS = frozenset({"Alter", "Create", "Describe"})
"""What fink_kafka and the operator need on the Cluster; a super user has them."""

FOR_PRODUCERS = frozenset({"Write", "Describe", "Read", "DescribeConfigs"})
FOR_CONSUMERS = frozenset({"Read", "Describe"})

Look = Callable[["KafkaAdmin"], Coroutine[Any, Any, list[Finding]]]


def look(command_config: str | None, bootstrap_server: str | None, file: Path, timeout: float) -> list[Finding]:
    """Look at the Kafka that the options name, as an administrator; else at the one of the configuration, in all its roles.

    Parameters
    ----------
    file
        The configuration.
    timeout
        Seconds that one call may take.
    """
    if command_config is not None or bootstrap_server is not None:
        return _administrator(command_config, bootstrap_server, timeout)
    if not file.exists():
        return [
            Finding(
                Area.KAFKA,
                "kafka",
                State.ABSENT,
                f"there is no {file}",
                "fink_kafka start makes it, with a Kafka on this machine; another Kafka is named by --command-config FILE",
            )
        ]
    try:
        producer, consumer = (
            read(file, home()) for read in (local_settings.distribution, local_settings.topic_console)
        )
    except ConfigurationError as error:
        return [
            Finding(Area.KAFKA, "configuration", State.BAD, str(error), "correct it there; docs/local.md has all keys")
        ]
    cluster = local_cluster()
    is_running = bool(cluster.running())
    is_here = all(address.startswith(f"{HOST}:") for address in producer.kafka.bootstrap_servers.split(","))
    if is_here and cluster.folder.exists() and not is_running:
        return [Finding(Area.KAFKA, "local Kafka", State.BAD, "no broker runs here", "fink_kafka start")]
    looks: list[Callable[[], list[Finding]]] = [
        lambda: _user("producer", producer.kafka, producer.topic, FOR_PRODUCERS, file, timeout),
        lambda: _user("consumer", consumer.kafka, consumer.topic, FOR_CONSUMERS, file, timeout),
    ]
    if is_running:
        looks.insert(0, lambda: _administrator(str(cluster.client_file("admin")), None, timeout))
    # At once, since each may wait for an answer that does not come.
    with ThreadPoolExecutor() as pool:
        return [finding for found in pool.map(lambda one: one(), looks) for finding in found]


def _administrator(command_config: str | None, bootstrap_server: str | None, timeout: float) -> list[Finding]:
    async def ask(admin: KafkaAdmin) -> list[Finding]:
        from fink_distribution.kafka import rights, versions

        facts = await admin.facts()
        login = admin.login
        where = f"{login.bootstrap_servers}: cluster {facts.cluster_id}, {facts.brokers} broker(s)"
        found = [
            Finding(Area.KAFKA, "administrator", State.OK, f"{login.username or 'an anonymous client'} at {where}")
        ]
        missing = FOR_ADMINISTRATORS - await rights.on_the_cluster(admin)
        found.append(
            _rights(
                "administrator's rights",
                f"on the Cluster: {', '.join(sorted(FOR_ADMINISTRATORS))}",
                missing,
                f"log in as a super user of the brokers, or grant {login.username or 'it'} these on the Cluster; only who makes topics, "
                "users and permissions needs them",
            )
        )
        known = await versions.ask(admin)
        level = "" if known.metadata is None else f", metadata.version {known.metadata}"
        return [*found, Finding(Area.KAFKA, "brokers' version", State.OK, f"Kafka {known.kafka}{level}")]

    try:
        admin = open_kafka(command_config, bootstrap_server, timeout)
    except click.ClickException as error:
        return [
            Finding(
                Area.KAFKA, "administrator", State.BAD, error.message, "correct the options or the file that they name"
            )
        ]
    return _asked("administrator", admin, command_config, ask)


def _user(role: str, kafka: Kafka, topic: str, needed: frozenset[str], file: Path, timeout: float) -> list[Finding]:
    from fink_distribution.kafka.admin import KafkaAdmin

    async def ask(admin: KafkaAdmin) -> list[Finding]:
        from fink_distribution.kafka import rights

        await admin.facts()
        who = f"{admin.login.username or 'an anonymous client'} at {admin.login.bootstrap_servers}"
        found = Finding(Area.KAFKA, role, State.OK, who)
        try:
            allowed = await rights.on_topic(admin, topic)
        except ReconcileError as error:
            if error.reason is not Reason.NOT_AUTHORIZED:
                raise
            allowed = frozenset()
        what = f"{role}'s rights"
        if allowed is None:
            create = f"fink_kafka --create-topic {topic}"
            return [found, Finding(Area.KAFKA, what, State.BAD, f"there is no topic {topic}", create)]
        mend = "fink_kafka start gives them in the Kafka of this machine; elsewhere its administrator does"
        return [found, _rights(what, f"on {topic}: {', '.join(sorted(needed))}", needed - allowed, mend)]

    settings = _librdkafka(kafka)
    try:
        admin = KafkaAdmin(login_of(settings), timeout, settings=settings)
    except (ReconcileError, OSError) as error:
        return [Finding(Area.KAFKA, role, State.BAD, str(error), "correct DISTRIBUTION_CA_FILE")]
    return _asked(role, admin, f"{file} (DISTRIBUTION_...)", ask)


def _asked(role: str, admin: KafkaAdmin, source: str | None, ask: Look) -> list[Finding]:
    from fink_distribution.kafka.protocol import end_protocol_client

    try:
        return asyncio.run(ask(admin))
    except ReconcileError as error:
        text = explained(error, admin.login, source, "Its administrator grants it.")
        found, _, mend = text.partition(". ")
        return [Finding(Area.KAFKA, role, State.BAD, found, mend)]
    finally:
        end_protocol_client(admin)


def _rights(what: str, needed: str, missing: frozenset[str], mend: str) -> Finding:
    if missing:
        return Finding(Area.KAFKA, what, State.BAD, f"it may not {', '.join(sorted(missing))}", mend)
    return Finding(Area.KAFKA, what, State.OK, needed)


def _librdkafka(kafka: Kafka) -> dict[str, str]:
    found = {"bootstrap.servers": kafka.bootstrap_servers, "security.protocol": kafka.protocol, "client.id": "fink"}
    if kafka.account is not None:
        login = {"sasl.username": kafka.account.user, "sasl.password": kafka.account.password}
        found |= {"sasl.mechanism": kafka.mechanism, **login}
    if kafka.ca_file is not None:
        found["ssl.ca.location"] = kafka.ca_file
    return found
