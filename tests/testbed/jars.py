"""Java libraries, fetched by Maven: the broker's own, the connectors that Spark needs, and the schema registry."""

from __future__ import annotations

from pathlib import Path

from testbed import paths
from testbed.cache import cached, fingerprint
from testbed.commands import run
from testbed.steps import step


def kafka() -> Path:
    """The folder of the broker's jars."""
    return _copied("kafka-jars", paths.SOURCE / "kafka" / "pom.xml", "Kafka's jars by Maven")


def spark() -> Path:
    """The folder of the connectors' jars: those of jobs/pom.xml that pyspark does not bring itself."""
    return _copied("spark-jars", paths.CHECKOUT / "jobs" / "pom.xml", "Spark's connector jars by Maven")


def schema_registry() -> Path:
    """The folder of the schema registry, unpacked."""
    pom = paths.SOURCE / "registry" / "pom.xml"
    return _copied("schema-registry", pom, "The schema registry by Maven", "unpack-dependencies")


def _copied(kind: str, pom: Path, what: str, how: str = "copy-dependencies") -> Path:
    def fetch(folder: Path) -> None:
        goal = f"org.apache.maven.plugins:maven-dependency-plugin:3.8.1:{how}"
        with step(what):
            words: list[str | Path] = [
                "mvn",
                "-B",
                "-q",
                "-f",
                pom,
                goal,
                "-DincludeScope=runtime",
                f"-DoutputDirectory={folder}",
                # By these it thinks to have unpacked into this folder what it has unpacked into another; and they lie in the checkout.
                f"-DmarkersDirectory={folder}/.markers",
            ]
            run(words, log=kind)

    return cached(kind, fingerprint([pom.read_text()]), fetch)
