"""Kafka's own command line tools, run from the broker's jars."""

from __future__ import annotations

import json
import re
import subprocess
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fink_distribution.local_kafka.private import write_private
from fink_distribution.resources.credentials import jaas_config, java_properties
from testbed.environment import Environment, properties


@dataclass(frozen=True)
class KafkaTools:
    """The tools, logged in as the super user.

    Attributes
    ----------
    config
        A file for --command-config.
    data
        The folder of the controller's data.
    """

    jars: Path
    bootstrap: str
    config: Path
    data: Path

    @classmethod
    def of(cls, environment: Environment) -> KafkaTools:
        """Return those for the testbed's broker."""
        admin = environment.kafka_admin_config
        data = admin.parent / "data"
        return cls(environment.kafka_jars, environment.kafka_bootstrap, _java_config(admin), data)

    def acls(self, *arguments: str) -> str:
        """Run kafka-acls and return what it prints, its log left out; it may fail, as it does for wrong arguments."""
        where = ("--bootstrap-server", self.bootstrap, "--command-config", str(self.config))
        return self._run("org.apache.kafka.tools.AclCommand", *where, *arguments)

    def listing(self, user: str) -> set[str]:
        """Return a user's bindings as kafka-acls lists them, a line each: type name pattern operation permission host."""
        return _bindings(self.acls("--list", "--principal", f"User:{user}")).get(user, set())

    def listings(self) -> dict[str, set[str]]:
        """Return the bindings of all users."""
        return _bindings(self.acls("--list"))

    def metadata_records(self) -> list[dict[str, Any]]:
        """Return all that the controller has written, in its order: {type, version, data} each."""
        log = self.data / "__cluster_metadata-0"
        files = ",".join(str(file) for file in sorted(log.glob("*.log")))
        printed = self._run("org.apache.kafka.tools.DumpLogSegments", "--cluster-metadata-decoder", "--files", files)
        return [json.loads(payload) for payload in re.findall(r"payload: (\{.*\})", printed)]

    def _run(self, main: str, *arguments: str) -> str:
        options = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]
        command = ["java", *options, "-cp", f"{self.jars}/*", main, *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
        return done.stdout + done.stderr


def _bindings(printed: str) -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    resource = ("", "", "")
    for line in printed.splitlines():
        if pattern := re.search(r"resourceType=(\w+), name=(.*), patternType=(\w+)\)", line):
            resource = (pattern[1], pattern[2], pattern[3])
        elif entry := re.search(r"principal=User:(.*), host=(\S+), operation=(\w+), permissionType=(\w+)\)", line):
            found[entry[1]].add(" ".join((*resource, entry[3], entry[4], entry[2])))
    return dict(found)


def _java_config(librdkafka: Path) -> Path:
    words = properties(librdkafka)
    file = librdkafka.with_name("admin-java.properties")
    settings = {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": words["sasl.mechanism"],
        "sasl.jaas.config": jaas_config(words["sasl.username"], words["sasl.password"]),
    }
    write_private(file, java_properties(settings))
    return file
