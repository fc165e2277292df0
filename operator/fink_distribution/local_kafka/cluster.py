"""The brokers of the local cluster: started, found again, stopped."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from fink_distribution.local_kafka.cache import locked
from fink_distribution.local_kafka.configuration import Configuration
from fink_distribution.local_kafka.errors import ConfigurationError, LocalKafkaError, PortTakenError, ToolError
from fink_distribution.local_kafka.jars import kafka_libraries
from fink_distribution.local_kafka.java import find_java, kafka_command
from fink_distribution.local_kafka.private import write_private
from fink_distribution.local_kafka.processes import end, find, identify, last_lines, tail
from fink_distribution.local_kafka.server_properties import Place, Quorum, server_properties
from fink_distribution.local_kafka.storage import cluster_id, format_command, new_cluster_id
from fink_distribution.resources.credentials import jaas_config, java_properties

_STOP_SECONDS = 60.0
_MOST_COPIES = 3

Say = Callable[[str], None]


@dataclass(frozen=True)
class Broker:
    """One broker, whose settings, data and log lie in one folder."""

    folder: Path

    @property
    def number(self) -> int:
        """Its number in the cluster."""
        return int(self.folder.name.rpartition("-")[2])

    @property
    def data(self) -> Path:
        """The folder of its data."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """What it writes about itself."""
        return self.folder / "broker.log"

    @property
    def record(self) -> Path:
        """Which process it is."""
        return self.folder / "process.json"

    @property
    def properties(self) -> Path:
        """Its settings."""
        return self.folder / "server.properties"

    def process(self) -> psutil.Process | None:
        """Return its process, if it lives."""
        try:
            return find(json.loads(self.record.read_text(encoding="utf-8")))
        except (FileNotFoundError, json.JSONDecodeError):
            return None


class LocalCluster:
    """The cluster in one folder; a second object on the same folder is the same cluster."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def client_file(self, role: str) -> Path:
        """Return the file by which Kafka's own tools, and ours, log in as admin, producer or consumer."""
        return self.folder / f"{role}.properties"

    def brokers(self) -> list[Broker]:
        """Return the brokers that have ever been started here, in the order of their numbers."""
        return sorted(map(Broker, self.folder.glob("broker-[0-9]*")), key=lambda broker: broker.number)

    def running(self) -> list[Broker]:
        """Return the brokers whose processes live."""
        return [broker for broker in self.brokers() if broker.process() is not None]

    def alone(self, say: Say) -> AbstractContextManager[None]:
        """Let one process at a time start or stop it."""
        return locked(self.folder / "lock", lambda: say("waiting for another fink_kafka that starts or stops it"))

    def start(self, configuration: Configuration, say: Say) -> list[Broker]:
        """Start those brokers that do not run, and return them; they do not answer yet.

        Parameters
        ----------
        say
            Told what is done, for what takes time.

        Raises
        ------
        LocalKafkaError
            Java or the jars are missing, a port is taken, or the data cannot be made ready. Nothing has been started then.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        self._write_client_files(configuration)
        missing = [(broker, place) for broker, place in self._places(configuration) if broker.process() is None]
        if not missing:
            return []
        _check_ports(missing, configuration.file)
        java = find_java()
        libraries = kafka_libraries(java, say)
        say("making the brokers' data ready")
        for broker, place in missing:
            self._prepare(java, libraries, broker, place, configuration)
        started = []
        try:
            for broker, _ in missing:
                _launch(broker, kafka_command(java, libraries, "kafka.Kafka", broker.properties))
                started.append(broker)
        except BaseException:
            self.stop(started)
            raise
        return started

    def stop(self, brokers: list[Broker]) -> list[Broker]:
        """End brokers, the controller last, data flushed; return those that had to be killed."""
        killed = []
        for broker in reversed(brokers):
            process = broker.process()
            if process is not None and not end(process, gently=_STOP_SECONDS):
                killed.append(broker)
            broker.record.unlink(missing_ok=True)
        return killed

    def _places(self, configuration: Configuration) -> Iterator[tuple[Broker, Place]]:
        copies = min(_MOST_COPIES, len(configuration.servers))
        for number, address in enumerate(configuration.servers, start=1):
            broker = Broker(self.folder / f"broker-{number}")
            yield broker, Place(number, address, Quorum(1, configuration.controller), broker.data, copies)

    def _write_client_files(self, configuration: Configuration) -> None:
        for role, account in configuration.accounts.items():
            settings = {
                "bootstrap.servers": configuration.bootstrap_servers,
                "security.protocol": "SASL_PLAINTEXT",
                "sasl.mechanism": "SCRAM-SHA-512",
                "sasl.jaas.config": jaas_config(account.user, account.password),
            }
            write_private(self.client_file(role), java_properties(settings))

    def _prepare(self, java: str, libraries: Path, broker: Broker, place: Place, configuration: Configuration) -> None:
        """Write a broker's settings, and make the folder of its data unless it is there: whole or not at all."""
        broker.folder.mkdir(exist_ok=True)
        if cluster_id(broker.data) is None:
            half = broker.folder / "data.half"
            shutil.rmtree(half, ignore_errors=True)
            write_private(broker.properties, _settings(replace(place, data=half), configuration))
            self._format(java, libraries, broker, place, configuration)
            half.rename(broker.data)
        write_private(broker.properties, _settings(place, configuration))

    def _format(self, java: str, libraries: Path, broker: Broker, place: Place, configuration: Configuration) -> None:
        known = next(filter(None, (cluster_id(each.data) for each in self.brokers())), None)
        if place.is_controller and known is not None:
            raise ConfigurationError(
                f"{broker.data} is gone, and the other brokers' data belong to it. Put it back, or remove {self.folder} to begin anew."
            )
        admin = configuration.admin if place.is_controller else None
        with format_command(java, libraries, broker.properties, known or new_cluster_id(), admin) as command:
            done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise ToolError(f"Kafka could not make {broker.data} ready:\n{last_lines(done.stdout + done.stderr)}")


def _settings(place: Place, configuration: Configuration) -> str:
    return java_properties(server_properties(place, configuration.admin))


def _launch(broker: Broker, command: list[str]) -> None:
    """Start a broker that goes on when we end."""
    with broker.log.open("ab") as log:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, cwd="/"
        )
    try:
        broker.record.write_text(json.dumps(identify(child.pid)), encoding="utf-8")
    except psutil.NoSuchProcess:
        raise LocalKafkaError(f"broker {broker.number} ended at once.\n{tail(broker.log)}") from None


def _check_ports(missing: list[tuple[Broker, Place]], file: Path) -> None:
    for _, place in missing:
        for address in (place.address, *([place.quorum.address] if place.is_controller else [])):
            host, _, port = address.rpartition(":")
            problem = _why_not_bound(host, int(port))
            if problem is not None:
                raise PortTakenError(
                    f"{problem} End what listens there, or choose another port in {file} (DISTRIBUTION_SERVERS, DISTRIBUTION_CONTROLLER)."
                )


def _why_not_bound(host: str, port: int) -> str | None:
    try:
        family, kind, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as error:
        return f"A broker cannot listen at {host}:{port}: {error.strerror}{_listener(port)}."
    return None


def _listener(port: int) -> str:
    """Say which process listens at a port, as far as we may know."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,) and connection.pid:
                return f" (by process {connection.pid}, {psutil.Process(connection.pid).name()})"
    except psutil.Error:
        pass
    return ""
