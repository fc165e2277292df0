"""The configuration file of the local cluster: lines KEY=VALUE, as a shell would read them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fink_distribution.local_kafka.key_values import NAME, TOPIC, Form, Values
from fink_distribution.local_kafka.private import write_private
from fink_distribution.local_kafka.server_properties import Account

HOST = "127.0.0.1"
FIRST_PORT, CONTROLLER_PORT = 9093, 9193
MOST_BROKERS = 9
SLACK_GROUP_KEY, SLACK_GROUP = "SLACK_CONSUMER_GROUP", "fink-slack"
"""The key of the consumer group of `fink start slack`, and what it is when the file does not say."""

_USER = Form(NAME.pattern, f"a user's name: {NAME.meaning}")
# What neither a shell, nor JAAS, nor Kafka's storage tool takes for something of its own.
_PASSWORD = Form(
    re.compile(r"[A-Za-z0-9._~@%^&*+=:/?!-]{8,128}"),
    "8 to 128 letters, digits and characters of ._~@%^&*+=:/?!-",
    is_secret=True,
)

_TEMPLATE = """\
# Made by `fink_kafka start`; it holds passwords, so keep it readable for nobody but you.
# KEY=VALUE, as a shell reads it; ${{FINK_HOME}} and other variables may stand in values.

# Where the brokers listen for clients: one address each, with a comma between two. And where their controller does.
DISTRIBUTION_SERVERS={servers}
DISTRIBUTION_CONTROLLER={controller}

# The topic that the distribution publishes to.
DISTRIBUTION_TOPIC=fink_outstream

# The administrator, as whom fink_kafka and the brokers themselves log in. It is written into the brokers' data at their first start.
KAFKA_ADMIN_USER=fink-admin
KAFKA_ADMIN_PASSWORD={admin}

# Who publishes to the topic, with transactions of this name; and who reads it, as this consumer group.
DISTRIBUTION_PRODUCER_USER=fink-producer
DISTRIBUTION_PRODUCER_PASSWORD={producer}
DISTRIBUTION_TRANSACTIONAL_ID=fink-distribution
DISTRIBUTION_CONSUMER_USER=fink-consumer
DISTRIBUTION_CONSUMER_PASSWORD={consumer}
DISTRIBUTION_CONSUMER_GROUP=fink-consumer

# What fink start distribution reads: a folder of Parquet files; where it keeps what it has distributed; where it writes the alerts' schema.
SCIENCE_DATABASE=${{FINK_HOME}}/science
DISTRIBUTION_CHECKPOINT=${{FINK_HOME}}/checkpoints/distribution
DISTRIBUTION_SCHEMA=${{FINK_HOME}}/schemas/distribution_schema

# What it begins with: earliest (all alerts that are there), latest (those that come later), or a time, 2026-01-31T22:00:00Z for example.
# It counts only while the checkpoint is new.
DISTRIBUTION_OFFSET=earliest

# Only the alerts for which a condition in SQL holds, as it would stand after WHERE; without it, all.
# DISTRIBUTION_FILTER="cdsxmatch = 'Unknown' AND candidate.drb > 0.5"

# fink start slack: the app's token, and one channel for all alerts; without SLACK_CHANNEL each goes to the channel of its class, of
# SLACK_CHANNELS only if they are given.
# SLACK_API_TOKEN=xoxb-...
# SLACK_CHANNEL=alerts
# SLACK_CHANNELS=rrlyr,ebwuma
"""


@dataclass(frozen=True)
class Configuration:
    """What the local cluster is to be.

    Attributes
    ----------
    servers
        `host:port` of each broker, in the order of their numbers.
    controller
        `host:port` of the controller.
    """

    file: Path
    servers: tuple[str, ...]
    controller: str
    topic: str
    transactional_id: str
    group: str
    slack_group: str
    admin: Account
    producer: Account
    consumer: Account

    @property
    def bootstrap_servers(self) -> str:
        """What clients call bootstrap.servers."""
        return ",".join(self.servers)

    @property
    def accounts(self) -> Mapping[str, Account]:
        """The accounts, by what they are for."""
        return {"admin": self.admin, "producer": self.producer, "consumer": self.consumer}


def generate(file: Path, brokers: int) -> None:
    """Write a configuration with random passwords, which only its owner can read."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = _TEMPLATE.format(
        servers=",".join(f"{HOST}:{FIRST_PORT + index}" for index in range(brokers)),
        controller=f"{HOST}:{CONTROLLER_PORT}",
        **{name: secrets.token_urlsafe(24) for name in ("admin", "producer", "consumer")},
    )
    write_private(file, text)


def read(file: Path, home: Path) -> Configuration:
    """Read a configuration.

    Parameters
    ----------
    home
        What ${FINK_HOME} stands for.

    Raises
    ------
    ConfigurationError
        All that is wrong with it, at once.
    """
    values = Values(file, home)
    configuration = Configuration(
        file,
        tuple(values.addresses("DISTRIBUTION_SERVERS")),
        next(values.addresses("DISTRIBUTION_CONTROLLER"), ""),
        values.one("DISTRIBUTION_TOPIC", TOPIC),
        values.one("DISTRIBUTION_TRANSACTIONAL_ID", NAME),
        values.one("DISTRIBUTION_CONSUMER_GROUP", NAME),
        values.one(SLACK_GROUP_KEY, NAME, SLACK_GROUP),
        values.account("KAFKA_ADMIN", _USER, _PASSWORD),
        values.account("DISTRIBUTION_PRODUCER", _USER, _PASSWORD),
        values.account("DISTRIBUTION_CONSUMER", _USER, _PASSWORD),
    )
    if not values.problems:
        values.problems += _contradictions(configuration)
    values.check()
    return configuration


def _contradictions(configuration: Configuration) -> Iterator[str]:
    addresses = [*configuration.servers, configuration.controller]
    ports = [address.rpartition(":")[2] for address in addresses]
    if len(set(ports)) < len(ports):
        yield f"a port stands twice in DISTRIBUTION_SERVERS and DISTRIBUTION_CONTROLLER ({', '.join(addresses)}); each needs its own"
    if len(configuration.servers) > MOST_BROKERS:
        yield f"DISTRIBUTION_SERVERS names {len(configuration.servers)} brokers; at most {MOST_BROKERS} run here"
    users = [account.user for account in configuration.accounts.values()]
    if len(set(users)) < len(users):
        yield f"a user stands twice ({', '.join(users)}); administrator, producer and consumer are three"
