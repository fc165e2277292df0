"""A real Kafka broker: KRaft in one process, SCRAM logins, ACLs enforced, nothing allowed that no ACL allows; more may join it."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from fink_distribution.local_kafka.java import kafka_command
from fink_distribution.local_kafka.private import write_private
from fink_distribution.local_kafka.server_properties import Account, Place, Quorum, server_properties
from fink_distribution.local_kafka.storage import cluster_id, format_command, new_cluster_id
from fink_distribution.resources.credentials import java_properties
from testbed import jars, ports
from testbed.commands import run
from testbed.errors import TestbedError
from testbed.processes import Processes
from testbed.tls_listeners import TlsListeners

ADMIN = "admin"


class Broker:
    """A broker whose data and settings lie in one folder; a second object on the same folder is the same broker."""

    def __init__(
        self,
        folder: Path,
        processes: Processes,
        *,
        name: str = "kafka",
        host: str = "127.0.0.1",
        with_us: bool = False,
        tls: TlsListeners | None = None,
        joins: Broker | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`host` is the address at which clients reach it, and the only one at which it listens for them.

        `with_us`: it is of no use when this process is gone, and the next `up` or `down` ends it if it is still there then.
        `tls`: it listens for clients over TLS as well.

        `joins`: a broker that has been started, and whose cluster this one becomes a further broker of, with the next number.

        `settings`: lines of server.properties, over those that it has by itself.
        """
        self.folder = folder
        self.processes = processes
        self.name = name
        self.host = host
        self.tls = tls
        self.with_us = with_us
        self.node_id: int = 1 if joins is None else joins.node_id + 1
        self._first: Broker = self if joins is None else joins._first
        self._more_settings = dict(settings or {})
        self.admin_config = folder / "admin.properties"
        self._properties = folder / "server.properties"
        self._ports = folder / "ports"

    @property
    def bootstrap(self) -> str:
        """What clients call `bootstrap.servers`; the port stays the same for the life of the folder."""
        return f"{self.host}:{self._pick_ports()[0]}"

    def client_config(self, user: str = ADMIN, password: str | None = None) -> dict[str, str]:
        """What librdkafka needs to log in: as the admin, unless told otherwise."""
        return {
            "bootstrap.servers": self.bootstrap,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": self._password() if password is None else password,
        }

    def start(self, timeout: float = 60) -> None:
        """Start it, with the data of the last time if there are any, and wait until it answers."""
        libraries = jars.kafka()
        self.folder.mkdir(parents=True, exist_ok=True)
        write_private(self.admin_config, _properties(self.client_config()))
        write_private(self._properties, java_properties(self._settings()))
        if not (self.folder / "data" / "meta.properties").exists():
            self._format(libraries)
        command = kafka_command("java", libraries, "kafka.Kafka", self._properties)
        self.processes.start(self.name, command, with_us=self.with_us)
        self.processes.wait(self.name, self.answers, timeout)

    def answers(self) -> bool:
        """Whether the admin can log in and is told of this broker."""
        host, port = self.bootstrap.split(":")
        if not ports.is_open(host, int(port)):
            return False
        # log_level 0: a broker that is not up yet is what we wait for, not a thing to print.
        client = AdminClient({**self.client_config(), "log_level": 0})
        try:
            nodes = client.describe_cluster(request_timeout=3).result(5).nodes
        except (KafkaException, TimeoutError):
            return False
        return self.node_id in [node.id for node in nodes]

    def alive(self) -> bool:
        """Whether its process lives."""
        return self.processes.get(self.name) is not None

    def stop(self) -> None:
        """End it as an operator would, data flushed."""
        self.processes.stop(self.name, gently=30)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.processes.stop(self.name)

    def restart(self) -> None:
        """Stop and start, keeping data, users, ACLs and the port."""
        self.stop()
        self.start()

    def remove(self) -> None:
        """End it and delete all it had."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _settings(self) -> dict[str, str]:
        port, _ = self._pick_ports()
        quorum = Quorum(self._first.node_id, f"127.0.0.1:{self._first._pick_ports()[1]}")
        place = Place(self.node_id, f"{self.host}:{port}", quorum, self.folder / "data")
        settings = {**server_properties(place, self._admin()), **self._more_settings}
        if self.tls is None:
            return settings
        scram, plain = (
            settings[f"listener.name.{name}.sasl.jaas.config"] for name in ("client.scram-sha-512", "controller.plain")
        )
        return {**settings, **self.tls.added_to(settings, scram, plain)}

    def _format(self, libraries: Path) -> None:
        first = self._first is self
        cluster = new_cluster_id() if first else cluster_id(self._first.folder / "data")
        assert cluster is not None, "the first broker has been started"
        admin = self._admin() if first else None
        try:
            with format_command("java", libraries, self._properties, cluster, admin) as command:
                run(command)
        except TestbedError:
            shutil.rmtree(self.folder / "data", ignore_errors=True)
            raise

    def _admin(self) -> Account:
        return Account(ADMIN, self._password())

    def _password(self) -> str:
        if self._first is not self:
            return self._first._password()
        file = self.folder / "password"
        if not file.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_private(file, secrets.token_urlsafe(24))
        return file.read_text()

    def _pick_ports(self) -> tuple[int, int]:
        if not self._ports.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            chosen = (ports.pick(f"{self.folder} clients"), ports.pick(f"{self.folder} controller"))
            self._ports.write_text("{} {}".format(*chosen))
        first, second = self._ports.read_text().split()
        return int(first), int(second)


def _properties(settings: dict[str, str]) -> str:
    return "".join(f"{key}={value}\n" for key, value in settings.items())
