"""Java libraries, fetched by Maven: the broker's own, the connectors that Spark needs, and the schema registry."""

from __future__ import annotations

from pathlib import Path

from fink_distribution.local_kafka.jars import KAFKA, SPARK, Jars, copy_command, made
from testbed import paths
from testbed.cache import cached, fingerprint
from testbed.commands import run
from testbed.steps import note, step


def kafka() -> Path:
    """The folder of the broker's jars, which `fink_kafka` uses as well."""
    return _fetched(KAFKA)


def spark() -> Path:
    """The folder of the connectors' jars, which `fink start` uses as well: those of jobs/pom.xml that pyspark does not bring itself."""
    return _fetched(SPARK)


def schema_registry() -> Path:
    """The folder of the schema registry, unpacked."""
    pom = paths.SOURCE / "registry" / "pom.xml"

    def fetch(folder: Path) -> None:
        with step("The schema registry by Maven"):
            # By markers elsewhere it would think to have unpacked into this folder what it has unpacked into another.
            markers = f"-DmarkersDirectory={folder}/.markers"
            run([*copy_command(pom, folder, "unpack-dependencies"), markers], log="schema-registry")

    return cached("schema-registry", fingerprint([pom.read_text()]), fetch)


def _fetched(jars: Jars) -> Path:
    def fetch(pom: Path, folder: Path) -> None:
        with step(f"{jars.name} by Maven"):
            run(copy_command(pom, folder), log=jars.folder)

    return made(jars, fetch, lambda: note(f"Waiting for another process, which fetches {jars.name}"))
