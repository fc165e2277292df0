"""Which Kafka a service talks to: the one on this machine, unless the options name another."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

import click

from fink_distribution.cli.fink_kafka.exits import Exit, Problem
from fink_distribution.cli.progress import Progress
from fink_distribution.cli.reaching_kafka import NoServersError, explained, kafka_options, open_kafka
from fink_distribution.errors import Reason, ReconcileError
from fink_distribution.local_kafka import configuration
from fink_distribution.local_kafka.cluster import LocalCluster
from fink_distribution.local_kafka.configuration import Configuration
from fink_distribution.local_kafka.errors import ConfigurationError

if TYPE_CHECKING:
    from fink_distribution.kafka.admin import KafkaAdmin

F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")

_NEEDS = "Log in as an administrator: a super user of the brokers, or one to whom these operations are granted."
_STATUSES = {
    Reason.KAFKA_UNREACHABLE: Exit.UNREACHABLE,
    Reason.AUTHENTICATION_FAILED: Exit.REFUSED,
    Reason.TLS_FAILED: Exit.REFUSED,
    Reason.NOT_AUTHORIZED: Exit.REFUSED,
}


def home() -> Path:
    """Return the folder of the local Kafka and its configuration."""
    return Path(os.environ.get("FINK_HOME") or "~/.fink").expanduser().absolute()


def config_file_option(what: str, *short: str) -> Callable[[F], F]:
    """Return the option that names the configuration file, as `config_file`; `what` the file is, and perhaps a short form."""
    return click.option(
        *short,
        "--config",
        "config_file",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help=f"{what}, KEY=VALUE lines.  [default: $FINK_HOME/fink.conf; FINK_HOME is ~/.fink unless set]",
    )


config_option = config_file_option("The configuration of the local Kafka")


def config_path(config_file: Path | None) -> Path:
    """Return the configuration file that the options name."""
    return (config_file or home() / "fink.conf").expanduser().absolute()


def read_configuration(config_file: Path | None) -> Configuration:
    """Read the configuration of the local cluster."""
    try:
        return configuration.read(config_path(config_file), home())
    except ConfigurationError as error:
        raise Problem(Exit.CONFIGURATION, str(error)) from None


def local_cluster() -> LocalCluster:
    """Return the cluster of this machine, running or not."""
    return LocalCluster(home() / "kafka")


@dataclass(frozen=True)
class Where:
    """What the options say of where Kafka is."""

    command_config: str | None
    bootstrap_server: str | None
    timeout: float
    config_file: Path | None = None

    @property
    def is_local(self) -> bool:
        """Whether it is the Kafka of this machine."""
        return self.command_config is None and self.bootstrap_server is None

    def open(self) -> Reached:
        """Return a client of it.

        Raises
        ------
        Problem
            No Kafka runs here and none is named, or the file cannot be used.
        """
        if not self.is_local:
            return Reached(_opened(self.command_config, self.bootstrap_server, self.timeout), self.command_config)
        cluster = local_cluster()
        if not cluster.running():
            raise Problem(
                Exit.UNREACHABLE,
                "No Kafka runs here. Start one with fink_kafka start, or name another by --bootstrap-server and --command-config.",
            )
        file = str(cluster.client_file("admin"))
        return Reached(_opened(file, None, self.timeout), file)


def where_options(command: F) -> F:
    """Add the options that say where Kafka is; the command gets them as `where`."""

    def gather(
        *args: Any, command_config: Any, bootstrap_server: Any, timeout: Any, config_file: Any, **kwargs: Any
    ) -> Any:
        return command(*args, where=Where(command_config, bootstrap_server, timeout, config_file), **kwargs)

    gather.__doc__ = command.__doc__
    gather.__name__ = command.__name__
    gather.__click_params__ = getattr(command, "__click_params__", [])  # type: ignore[attr-defined]
    return config_option(kafka_options(gather))  # type: ignore[return-value]


@dataclass
class Reached(AbstractContextManager["Reached"]):
    """A Kafka that is asked and changed, with a word on stderr where it takes long."""

    admin: KafkaAdmin
    config: str | None

    def __post_init__(self) -> None:
        self._progress = Progress()

    def __enter__(self) -> Reached:
        self._progress.__enter__()
        self._progress.say(f"asking {self.servers}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        from fink_distribution.kafka.protocol import end_protocol_client

        self._progress.__exit__(kind, error, trace)
        end_protocol_client(self.admin)

    @property
    def servers(self) -> str:
        """Where it is."""
        return self.admin.login.bootstrap_servers

    def run(self, ask: Callable[[KafkaAdmin], Awaitable[T]]) -> T:
        """Have something asked or changed.

        Raises
        ------
        Problem
            Kafka does not answer, or refuses.
        """

        async def asked() -> T:
            # Some of librdkafka's calls, its listing of topics for one, only time out when the login is refused.
            await self.admin.facts()
            return await ask(self.admin)

        try:
            return asyncio.run(asked())
        except ReconcileError as error:
            text = explained(error, self.admin.login, self.config, _NEEDS)
            raise Problem(_STATUSES.get(error.reason, Exit.FAILED), text) from None


def _opened(command_config: str | None, bootstrap_server: str | None, timeout: float) -> KafkaAdmin:
    try:
        return open_kafka(command_config, bootstrap_server, timeout)
    except NoServersError as error:
        raise Problem(Exit.MISSING, error.message) from None
    except click.ClickException as error:
        raise Problem(Exit.CONFIGURATION, error.message) from None
