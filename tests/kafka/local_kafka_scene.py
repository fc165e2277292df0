"""A Kafka that `fink_kafka` has started, and what Kafka's own clients and tools show of it."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from click.testing import CliRunner
from confluent_kafka import Consumer, KafkaException, Producer

from fink_command import Done
from fink_distribution.cli.fink_kafka.main import main
from fink_distribution.kafka.client_config import client_settings
from fink_distribution.local_kafka import configuration
from fink_distribution.local_kafka.configuration import Configuration
from kafka_tools import KafkaTools
from testbed import jars, ports
from testbed.fixtures import wait_for

TOPIC = "fink_outstream"


@dataclass(frozen=True)
class Local:
    """A local Kafka in a folder of its own."""

    home: Path

    def run(self, *arguments: str, stdin: str = "", **environment: str) -> Done:
        """Run a service in this process, which saves a second each time."""
        variables = {"FINK_HOME": str(self.home), "FINK_KAFKA_CONFIG": None, **environment}
        done = CliRunner(env=variables).invoke(main, arguments, input=stdin, prog_name="fink_kafka")
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Done(done.exit_code, done.stdout, done.stderr)

    def do(self, *arguments: str, stdin: str = "", **environment: str) -> str:
        """Run a service that has to end well, and return what it prints."""
        done = self.run(*arguments, stdin=stdin, **environment)
        assert done.status == 0, done.out + done.err
        return done.out

    def listed(self, *arguments: str) -> Any:
        """Return what a service lists."""
        return json.loads(self.do(*arguments, "-o", "json"))

    @property
    def configuration(self) -> Configuration:
        """What start has made, or was given."""
        return configuration.read(self.home / "fink.conf", self.home)

    @property
    def passwords(self) -> list[str]:
        """The passwords of the configuration."""
        return [account.password for account in self.configuration.accounts.values()]

    def client_file(self, role: str) -> Path:
        """Return the file with a login."""
        return self.home / "kafka" / f"{role}.properties"

    def settings(self, role: str, **more: str) -> dict[str, Any]:
        """Return a login as librdkafka takes it; what is given besides has "_" for "."."""
        found = client_settings(self.client_file(role).read_text())
        return {**found, "log_level": 0, **{key.replace("_", "."): value for key, value in more.items()}}

    def tools(self) -> KafkaTools:
        """Return Kafka's own tools for it, with the login that start has written."""
        data = self.home / "kafka" / "broker-1" / "data"
        return KafkaTools(jars.kafka(), self.configuration.bootstrap_servers, self.client_file("admin"), data)

    def processes(self) -> list[psutil.Process]:
        """Return its brokers' processes."""
        records = sorted((self.home / "kafka").glob("broker-*/process.json"))
        return [psutil.Process(json.loads(record.read_text())["pid"]) for record in records]


def prepare(home: Path, brokers: int = 1) -> Local:
    """Give a local Kafka ports of its own, so that it may run beside others."""
    file = home / "fink.conf"
    configuration.generate(file, brokers)
    text = file.read_text()
    found = configuration.read(file, home)
    for address in (*found.servers, found.controller):
        text = text.replace(address, f"127.0.0.1:{ports.pick(f'{home} {address}')}")
    file.write_text(text)
    return Local(home)


class Watcher:
    """Sees the arguments and the environment of all processes, over and over."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            for process in psutil.process_iter():
                try:
                    self.seen.update((" ".join(process.cmdline()), str(process.environ())))
                except psutil.Error:
                    continue

    def __enter__(self) -> Watcher:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def is_gone(process: psutil.Process) -> bool:
    """Say whether a process has ended, if only to wait for its parent to notice."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def publish(settings: dict[str, Any], *values: str, topic: str = TOPIC) -> None:
    """Publish messages, and raise what was refused."""
    producer, refused = Producer({"message.timeout.ms": 10_000, **settings}), []
    is_transactional = "transactional.id" in settings
    if is_transactional:
        producer.init_transactions(15)
        producer.begin_transaction()
    for value in values:
        producer.produce(topic, value, on_delivery=lambda error, _: refused.append(error) if error else None)
    producer.flush(15)
    if is_transactional:
        producer.commit_transaction(15)
    if refused:
        raise KafkaException(refused[0])


def read(settings: dict[str, Any], group: str, until: str, topic: str = TOPIC) -> list[str]:
    """Read from the beginning until a message has come, and raise what was refused."""
    consumer = Consumer({**settings, "group.id": group, "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe([topic])
    found: list[str] = []

    def look() -> bool:
        message = consumer.poll(0.5)
        if message is not None:
            if message.error():
                raise KafkaException(message.error())
            found.append((message.value() or b"").decode())
        return until in found

    try:
        wait_for(look, 30, f"{until!r} is read")
    finally:
        consumer.close()
    return found


def acls(local: Local, user: str) -> set[str]:
    """Return what --list-acl shows of a user, in the words of Kafka's own tool."""
    words = {"DescribeConfigs": "DESCRIBE_CONFIGS", "TransactionalId": "TRANSACTIONAL_ID"}
    keys = ("resourceType", "resourceName", "patternType", "operation", "permission", "host")
    return {
        " ".join(
            each[key] if key in ("resourceName", "host") else words.get(each[key], each[key].upper()) for key in keys
        )
        for each in local.listed("--list-acl")
        if each["principal"] == f"User:{user}"
    }
