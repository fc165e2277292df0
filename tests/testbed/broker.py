"""A real Kafka broker: KRaft in one process, SCRAM logins, ACLs enforced, nothing allowed that no ACL allows; more may join it."""

from __future__ import annotations

import base64
import secrets
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from testbed import jars, ports
from testbed.commands import run
from testbed.errors import TestbedError
from testbed.private import write_private
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
        write_private(self._properties, _properties(self._settings()))
        if not (self.folder / "data" / "meta.properties").exists():
            self._format(libraries)
        self.processes.start(self.name, self._java(libraries, "kafka.Kafka", self._properties), with_us=self.with_us)
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
        port, controller = self._pick_ports()
        quorum = self._first._pick_ports()[1]
        password = self._password()
        login = f'username="{ADMIN}" password="{password}"'
        scram = f"org.apache.kafka.common.security.scram.ScramLoginModule required {login};"
        plain = f'org.apache.kafka.common.security.plain.PlainLoginModule required {login} user_{ADMIN}="{password}";'
        listener = f"CLIENT://{self.host}:{port}"
        settings = {
            "process.roles": "broker,controller" if self._first is self else "broker",
            "node.id": str(self.node_id),
            "controller.quorum.voters": f"{self._first.node_id}@127.0.0.1:{quorum}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"{listener},CONTROLLER://127.0.0.1:{controller}" if self._first is self else listener,
            "advertised.listeners": listener,
            "listener.security.protocol.map": "CLIENT:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT",
            "inter.broker.listener.name": "CLIENT",
            "sasl.mechanism.inter.broker.protocol": "SCRAM-SHA-512",
            "sasl.mechanism.controller.protocol": "PLAIN",
            "listener.name.client.sasl.enabled.mechanisms": "SCRAM-SHA-512,SCRAM-SHA-256",
            "listener.name.client.scram-sha-512.sasl.jaas.config": scram,
            "listener.name.client.scram-sha-256.sasl.jaas.config": scram,
            "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
            "listener.name.controller.plain.sasl.jaas.config": plain,
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:{ADMIN}",
            "allow.everyone.if.no.acl.found": "false",
            "auto.create.topics.enable": "false",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "3",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "3",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            # After a kill the controller takes the new process for an impostor until the old one's session is over.
            "broker.heartbeat.interval.ms": "500",
            "broker.session.timeout.ms": "3000",
            "log.dirs": str(self.folder / "data"),
            **self._more_settings,
        }
        return settings if self.tls is None else {**settings, **self.tls.added_to(settings, scram, plain)}

    def _format(self, libraries: Path) -> None:
        scram = f"SCRAM-SHA-512=[name={ADMIN},password={self._password()}]"
        first = ["--add-scram", scram] if self._first is self else []
        tool = self._java(
            libraries, "kafka.tools.StorageTool", "format", f"--cluster-id={self._cluster_id()}", "-c", self._properties
        )
        # Java reads its arguments from the file, so that the password is never in the process list.
        arguments = self.folder / "format.args"
        lines = [f'"{a}"' for a in [*tool[1:], *first]]
        write_private(arguments, "\n".join(lines))
        try:
            run([tool[0], f"@{arguments}"])
        except TestbedError:
            shutil.rmtree(self.folder / "data", ignore_errors=True)
            raise
        finally:
            arguments.unlink()

    def _java(self, libraries: Path, main: str, *args: str | Path) -> list[str]:
        options = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]
        logs = ["-Dorg.slf4j.simpleLogger.showDateTime=true", "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS"]
        return ["java", *options, *logs, "-cp", f"{libraries}/*", main, *map(str, args)]

    def _cluster_id(self) -> str:
        if self._first is self:
            return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        lines = (self._first.folder / "data" / "meta.properties").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)["cluster.id"]

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
