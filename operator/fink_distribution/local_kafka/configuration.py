"""The configuration file of the local cluster: lines KEY=VALUE, as a shell would read them."""

from __future__ import annotations

import io
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from fink_distribution.local_kafka.errors import ConfigurationError
from fink_distribution.local_kafka.private import write_private
from fink_distribution.local_kafka.server_properties import Account

HOST = "127.0.0.1"
FIRST_PORT, CONTROLLER_PORT = 9093, 9193
MOST_BROKERS = 9
_USER = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
# What neither a shell, nor JAAS, nor Kafka's storage tool takes for something of its own.
_PASSWORD = re.compile(r"[A-Za-z0-9._~@%^&*+=:/?!-]{8,128}")
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
_ADDRESS = re.compile(r"([A-Za-z0-9.-]+):([0-9]{1,5})")

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
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{file}: {error}") from None
    problems = [f"line {line.original.line} is not KEY=VALUE" for line in parse_stream(io.StringIO(text)) if line.error]
    found = dotenv_values(stream=io.StringIO(f"FINK_HOME='{home}'\n{text}")) if not problems else {}
    checked = _Checked(found, problems)
    configuration = Configuration(
        file,
        tuple(checked.addresses("DISTRIBUTION_SERVERS")),
        next(checked.addresses("DISTRIBUTION_CONTROLLER"), ""),
        checked.value("DISTRIBUTION_TOPIC", _TOPIC, 'a topic\'s name: letters, digits, ".", "_" and "-"'),
        checked.value("DISTRIBUTION_TRANSACTIONAL_ID", _USER, 'letters, digits, ".", "_" and "-"'),
        checked.value("DISTRIBUTION_CONSUMER_GROUP", _USER, 'letters, digits, ".", "_" and "-"'),
        checked.account("KAFKA_ADMIN"),
        checked.account("DISTRIBUTION_PRODUCER"),
        checked.account("DISTRIBUTION_CONSUMER"),
    )
    if not problems:
        problems += _contradictions(configuration)
    if problems:
        raise ConfigurationError(f"{file}: {'; '.join(problems)}.")
    return configuration


class _Checked:
    """The values of the file, each checked as it is asked for; what is wrong is noted and never shown when it is a password."""

    def __init__(self, found: Mapping[str, str | None], problems: list[str]) -> None:
        self._found = found
        self._problems = problems
        self._is_readable = not problems

    def value(self, key: str, form: re.Pattern[str], meaning: str, *, secret: bool = False) -> str:
        text = self._found.get(key) or ""
        if not text and self._is_readable:
            self._problems.append(f"{key} is missing; it is {meaning}")
        elif text and not form.fullmatch(text):
            self._problems.append(f"{key} {'has another form' if secret else f'is {text}'}; it is {meaning}")
        return text

    def account(self, prefix: str) -> Account:
        return Account(
            self.value(f"{prefix}_USER", _USER, 'a user\'s name: letters, digits, ".", "_" and "-"'),
            self.value(
                f"{prefix}_PASSWORD",
                _PASSWORD,
                "8 to 128 letters, digits and characters of ._~@%^&*+=:/?!-",
                secret=True,
            ),
        )

    def addresses(self, key: str) -> Iterator[str]:
        text = self.value(key, re.compile(".*", re.DOTALL), "HOST:PORT, or several with commas between them")
        for address in filter(None, (part.strip() for part in text.split(","))):
            match = _ADDRESS.fullmatch(address)
            if match is None or not 0 < int(match[2]) < 65536:
                self._problems.append(f"{key} holds {address}, which is no HOST:PORT")
            yield address


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
