"""What the jobs are told: the documents and options that follow from the configuration file. They hold no secret. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fink_distribution.local_jobs.settings import Distribution, Kafka, SlackNotifier, TopicConsole
from fink_distribution.resources.credentials import jaas_config

STREAM = "distribution"
"""The name of the stream, and of its only output."""

_PROGRESS_SECONDS = 10


def login_files(kafka: Kafka) -> dict[str, str]:
    """Return the files of a login, by name: what the jobs read of a KafkaUser's Secret."""
    account = kafka.account
    if account is None:
        return {}
    return {
        "username": account.user,
        "password": account.password,
        "sasl.jaas.config": jaas_config(account.user, account.password),
    }


def distribution_document(settings: Distribution, credentials: Path, jars: Sequence[Path]) -> dict[str, Any]:
    """Return the distribution job's document, as schemas/stream-job.schema.json describes it.

    Parameters
    ----------
    credentials
        The folder of the login's files.
    jars
        Spark's connectors.
    """
    output: dict[str, Any] = {"name": STREAM, "topic": settings.topic, "schemaFile": settings.schema_file}
    return {
        "version": 1,
        "stream": {"namespace": "local", "name": STREAM},
        "source": {"type": "parquet", "path": settings.science, "startingFrom": settings.starting_from},
        "checkpoint": {"path": settings.checkpoint},
        "kafka": _kafka(settings.kafka, credentials),
        "delivery": {"guarantee": "ExactlyOnce", "transactionalId": settings.transactional_id},
        "outputs": [{**output, **choice(settings)}],
        "trigger": {"intervalSeconds": settings.interval},
        "progress": {"to": "log", "intervalSeconds": _PROGRESS_SECONDS},
        **({"metrics": {"port": settings.metrics_port}} if settings.metrics_port else {}),
        "spark": {
            "conf": {
                "spark.master": settings.master,
                "spark.driver.memory": settings.memory,
                **({"spark.jars": ",".join(map(str, jars))} if jars else {}),
            }
        },
    }


def choice(settings: Distribution) -> dict[str, Any]:
    """Return which alerts and columns are published, in the words of the document and of a DistributionStream."""
    return {
        **({"filter": {"sql": settings.sql}} if settings.sql else {}),
        **({"select": list(settings.select)} if settings.select else {}),
        **({"drop": list(settings.drop)} if settings.drop else {}),
    }


def slack_document(settings: SlackNotifier, credentials: Path, token_file: Path) -> dict[str, Any]:
    """Return the notifier's document, as schemas/slack-notifier.schema.json describes it.

    Parameters
    ----------
    token_file
        The file with the line SLACK_API_TOKEN=...
    """
    by_class = {"channels": list(settings.channels)} if settings.channels else {}
    to = {"to": settings.channel} if settings.channel else {"toChannelOfClass": by_class}
    return {
        "version": 1,
        "slack": {"tokenFile": str(token_file), **({"url": settings.url} if settings.url else {})},
        "kafka": _kafka(settings.kafka, credentials),
        "group": settings.group,
        "digest": {"intervalSeconds": settings.interval},
        "routes": [{"topics": [settings.topic], **to}],
    }


def console_options(settings: TopicConsole, credentials: Path, connectors: Path) -> list[str]:
    """Return the options of the job that prints what lies in the topic."""
    kafka = settings.kafka
    options = {
        "--bootstrap-server": kafka.bootstrap_servers,
        "--security-protocol": kafka.protocol,
        "--topic": settings.topic,
        "--group": settings.group,
        "--schema": settings.schema_file,
        "--connectors": str(connectors),
        **({"--sasl-mechanism": kafka.mechanism, "--credentials": str(credentials)} if kafka.account else {}),
        **({"--ca-file": kafka.ca_file} if kafka.ca_file else {}),
    }
    return [word for option in options.items() for word in option]


def _kafka(kafka: Kafka, credentials: Path) -> dict[str, Any]:
    found: dict[str, Any] = {"bootstrapServers": kafka.bootstrap_servers, "securityProtocol": kafka.protocol}
    if kafka.account is not None:
        found |= {"saslMechanism": kafka.mechanism, "credentialsDirectory": str(credentials)}
    if kafka.ca_file is not None:
        found["caFile"] = kafka.ca_file
    return found
