"""Kafka's Java libraries: those of KAFKA_HOME, or fetched once into the user's cache."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from fink_distribution.local_kafka.cache import cache_folder, made_once
from fink_distribution.local_kafka.errors import ToolError
from fink_distribution.local_kafka.processes import last_lines

POM = Path(__file__).with_name("kafka.pom.xml")
_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
_IVY_CACHE = ".ivy"
_UNPACK = "or unpack a Kafka 4 from https://kafka.apache.org and name its folder by KAFKA_HOME."
_MEND = f"(Debian, Ubuntu: apt-get install maven), {_UNPACK}"


def copy_command(pom: Path, folder: Path, goal: str = "copy-dependencies") -> list[str]:
    """Return the command by which Maven copies what a pom names into a folder; the user's settings and mirrors count."""
    plugin = f"{_PLUGIN}:{goal}"
    return ["mvn", "-B", "-q", "-f", str(pom), plugin, "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]


def kafka_jars(fetch: Callable[[Path, Path], None], waiting: Callable[[], None]) -> Path:
    """Return the folder of the broker's jars, fetched when they are not there.

    Parameters
    ----------
    fetch
        Copies what a pom names into a folder.
    waiting
        Called when another process fetches them right now.
    """
    key = hashlib.sha256(POM.read_bytes()).hexdigest()[:16]
    return made_once(cache_folder() / "kafka-jars" / key, lambda folder: fetch(POM, folder), waiting)


def kafka_libraries(java: str, say: Callable[[str], None]) -> Path:
    """Return the folder of the broker's jars: that of KAFKA_HOME if it is set, else what Maven or, without it, pyspark's Ivy fetches.

    Parameters
    ----------
    java
        The program, for Ivy.
    say
        Told what is done, for that it takes time.

    Raises
    ------
    ToolError
        KAFKA_HOME is no Kafka, or there is nothing to fetch one with, or it fails.
    """
    if home := os.environ.get("KAFKA_HOME"):
        libraries = Path(home, "libs")
        if not any(libraries.glob("kafka_2.1*.jar")):
            raise ToolError(f"KAFKA_HOME is {home}, and {libraries} has no kafka_*.jar. Correct it, or unset it.")
        return libraries

    def fetch(pom: Path, folder: Path) -> None:
        say("fetching Kafka's jars from Maven Central (54 MB, this once)")
        if shutil.which("mvn") is not None:
            _run("Maven", copy_command(pom, folder))
        else:
            _run("Ivy", _ivy_command(java, pom, folder))
            shutil.rmtree(folder / _IVY_CACHE, ignore_errors=True)

    return kafka_jars(fetch, lambda: say("waiting for another process that fetches Kafka's jars"))


def _ivy_command(java: str, pom: Path, folder: Path) -> list[str]:
    """Return the command by which Ivy does the same; it is among the jars of pyspark, and knows nothing of Maven's settings."""
    spark = importlib.util.find_spec("pyspark")
    found = sorted(Path(spark.origin).parent.glob("jars/ivy-*.jar")) if spark and spark.origin else []
    if not found:
        raise ToolError(
            f"Nothing can fetch Kafka's jars: there is no mvn on PATH, and no pyspark. Install Maven {_MEND}"
        )
    pattern = f"{folder}/[artifact]-[revision](-[classifier]).[ext]"
    options = ["-cache", f"{folder / _IVY_CACHE}", "-confs", "runtime", "-types", "jar", "bundle", "-retrieve", pattern]
    return [java, "-jar", str(found[-1]), "-warn", "-ivy", str(pom), *options]


def _run(name: str, command: Sequence[str]) -> None:
    done = subprocess.run(list(command), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        last = last_lines(done.stdout + done.stderr)
        raise ToolError(
            f"{name} could not fetch Kafka's jars:\n{last}\nWhere a mirror or proxy is needed, use Maven and name it in ~/.m2/settings.xml; {_UNPACK}"
        )
