"""A real schema registry over TLS: Apicurio's, which has Confluent's REST API. What it knows is gone when it ends."""

from __future__ import annotations

from pathlib import Path

import requests

from testbed import jars, ports
from testbed.authority import Authority
from testbed.processes import Processes

_FLAGS = ("-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


class SchemaRegistry:
    """A registry whose certificates lie in one folder; its address is known before it is started."""

    def __init__(self, folder: Path, processes: Processes) -> None:
        self.name = folder.name
        self._processes = processes
        self._authority = Authority(folder)
        self._port = ports.pick(str(folder))

    @property
    def url(self) -> str:
        """What clients are given."""
        return f"https://127.0.0.1:{self._port}/apis/ccompat/v7"

    @property
    def ca_file(self) -> Path:
        """The authority's certificate."""
        return self._authority.certificate

    def start(self) -> None:
        """Start it, and wait until it answers."""
        certificate, key = self._authority.sign("registry", "/CN=registry", server_names="IP:127.0.0.1")
        settings = {
            "quarkus.http.host": "127.0.0.1",
            "quarkus.http.insecure-requests": "disabled",
            "quarkus.http.ssl-port": str(self._port),
            "quarkus.http.ssl.certificate.files": str(certificate),
            "quarkus.http.ssl.certificate.key-files": str(key),
        }
        words = ["java", *_FLAGS, *(f"-D{key}={value}" for key, value in settings.items())]
        (application,) = jars.schema_registry().glob("*-runner.jar")
        self._processes.start(self.name, [*words, "-jar", application], with_us=True)
        self._processes.wait(self.name, self.answers, 120)

    def answers(self) -> bool:
        """Whether it lists its subjects."""
        try:
            return requests.get(f"{self.url}/subjects", verify=str(self.ca_file), timeout=5).ok
        except requests.RequestException:
            return False

    def demand(self, subject: str, compatibility: str) -> None:
        """Have the registry itself refuse schemas that break a promise: BACKWARD, for example."""
        answer = requests.put(
            f"{self.url}/config/{subject}",
            json={"compatibility": compatibility},
            verify=str(self.ca_file),
            timeout=20,
        )
        answer.raise_for_status()

    def stop(self) -> None:
        """End it."""
        self._processes.stop(self.name, gently=20)
