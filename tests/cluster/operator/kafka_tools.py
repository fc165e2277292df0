"""Kafka's own command line tools, run from the broker's jars."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

from testbed.environment import Environment, properties


class KafkaTools:
    """The tools, logged in as the super user."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment

    def acls(self, *arguments: str) -> str:
        """Run kafka-acls and return what it prints, its log left out; it may fail, as it does for wrong arguments."""
        where = ("--bootstrap-server", self.environment.kafka_bootstrap, "--command-config", str(self._config()))
        return self._run("org.apache.kafka.tools.AclCommand", *where, *arguments)

    def listing(self, user: str) -> set[str]:
        """Return a user's bindings as kafka-acls lists them, a line each: type name pattern operation permission host."""
        found, resource = set(), ("", "", "")
        for line in self.acls("--list", "--principal", f"User:{user}").splitlines():
            if pattern := re.search(r"resourceType=(\w+), name=(.*), patternType=(\w+)\)", line):
                resource = (pattern[1], pattern[2], pattern[3])
            elif entry := re.search(r"host=(\S+), operation=(\w+), permissionType=(\w+)\)", line):
                found.add(" ".join((*resource, entry[2], entry[3], entry[1])))
        return found

    def metadata_records(self) -> list[dict[str, Any]]:
        """Return all that the controller has written, in its order: {type, version, data} each."""
        log = self.environment.kafka_admin_config.parent / "data" / "__cluster_metadata-0"
        files = ",".join(str(file) for file in sorted(log.glob("*.log")))
        printed = self._run("org.apache.kafka.tools.DumpLogSegments", "--cluster-metadata-decoder", "--files", files)
        return [json.loads(payload) for payload in re.findall(r"payload: (\{.*\})", printed)]

    def _run(self, main: str, *arguments: str) -> str:
        options = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"]
        command = ["java", *options, "-cp", f"{self.environment.kafka_jars}/*", main, *arguments]
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
        return done.stdout + done.stderr

    def _config(self) -> Path:
        words = properties(self.environment.kafka_admin_config)
        module = "org.apache.kafka.common.security.scram.ScramLoginModule"
        jaas = f'{module} required username="{words["sasl.username"]}" password="{words["sasl.password"]}";'
        file = self.environment.kafka_admin_config.with_name("admin-java.properties")
        lines = {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": words["sasl.mechanism"],
            "sasl.jaas.config": jaas,
        }
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as opened:
            opened.write("".join(f"{key}={value}\n" for key, value in lines.items()))
        return file
