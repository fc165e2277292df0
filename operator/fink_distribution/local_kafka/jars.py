"""Java libraries, fetched once into the user's cache: Kafka's, unless KAFKA_HOME has them, and the connectors that Spark needs."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fink_distribution.local_kafka.cache import cache_folder, made_once
from fink_distribution.local_kafka.errors import ToolError
from fink_distribution.local_kafka.processes import last_lines

_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
_IVY_CACHE = ".ivy"
_UNPACK = "or unpack a Kafka 4 from https://kafka.apache.org and name its folder by KAFKA_HOME"


@dataclass(frozen=True)
class Jars:
    """What a pom names.

    Attributes
    ----------
    folder
        The folder of the cache.
    otherwise
        What else may be done where they cannot be fetched.
    """

    name: str
    size: str
    pom: Path
    folder: str
    otherwise: str


KAFKA = Jars("Kafka's jars", "54 MB", Path(__file__).with_name("kafka.pom.xml"), "kafka-jars", f", {_UNPACK}")
SPARK = Jars("Spark's connectors", "70 MB", Path(__file__).with_name("connectors.pom.xml"), "spark-jars", "")
"""Those that pyspark does not bring; the pom is a copy of jobs/pom.xml."""


def copy_command(pom: Path, folder: Path, goal: str = "copy-dependencies") -> list[str]:
    """Return the command by which Maven copies what a pom names into a folder; the user's settings and mirrors count."""
    plugin = f"{_PLUGIN}:{goal}"
    return ["mvn", "-B", "-q", "-f", str(pom), plugin, "-DincludeScope=runtime", f"-DoutputDirectory={folder}"]


def made(jars: Jars, fetch: Callable[[Path, Path], None], waiting: Callable[[], None]) -> Path:
    """Return the folder of the jars, fetched when they are not there.

    Parameters
    ----------
    fetch
        Copies what a pom names into a folder.
    waiting
        Called when another process fetches them right now.
    """
    key = hashlib.sha256(jars.pom.read_bytes()).hexdigest()[:16]
    return made_once(cache_folder() / jars.folder / key, lambda folder: fetch(jars.pom, folder), waiting)


def fetched(jars: Jars, java: str, say: Callable[[str], None]) -> Path:
    """Return the folder of the jars, which Maven or, without it, pyspark's Ivy fetches unless it has been done.

    Parameters
    ----------
    java
        The program, for Ivy.
    say
        Told what is done, for that it takes time.

    Raises
    ------
    ToolError
        There is nothing to fetch them with, or it fails.
    """

    def fetch(pom: Path, folder: Path) -> None:
        say(f"fetching {jars.name} from Maven Central ({jars.size}, this once)")
        if shutil.which("mvn") is not None:
            _run("Maven", copy_command(pom, folder), jars)
        else:
            _run("Ivy", _ivy_command(java, jars, folder), jars)
            shutil.rmtree(folder / _IVY_CACHE, ignore_errors=True)

    return made(jars, fetch, lambda: say(f"waiting for another process that fetches {jars.name}"))


def kafka_libraries(java: str, say: Callable[[str], None]) -> Path:
    """Return the folder of the broker's jars: that of KAFKA_HOME if it is set, else what Maven or, without it, pyspark's Ivy fetches.

    Raises
    ------
    ToolError
        KAFKA_HOME is no Kafka, or as `fetched`.
    """
    if home := os.environ.get("KAFKA_HOME"):
        libraries = Path(home, "libs")
        if not any(libraries.glob("kafka_2.1*.jar")):
            raise ToolError(f"KAFKA_HOME is {home}, and {libraries} has no kafka_*.jar. Correct it, or unset it.")
        return libraries
    return fetched(KAFKA, java, say)


def _ivy_command(java: str, jars: Jars, folder: Path) -> list[str]:
    """Return the command by which Ivy does the same; it is among the jars of pyspark, and knows nothing of Maven's settings."""
    spark = importlib.util.find_spec("pyspark")
    found = sorted(Path(spark.origin).parent.glob("jars/ivy-*.jar")) if spark and spark.origin else []
    if not found:
        raise ToolError(
            f"Nothing can fetch {jars.name}: there is no mvn on PATH, and no pyspark. Install Maven (Debian, Ubuntu: apt-get install "
            f"maven){jars.otherwise}."
        )
    pattern = f"{folder}/[artifact]-[revision](-[classifier]).[ext]"
    options = ["-cache", f"{folder / _IVY_CACHE}", "-confs", "runtime", "-types", "jar", "bundle", "-retrieve", pattern]
    return [java, "-jar", str(found[-1]), "-warn", "-ivy", str(jars.pom), *options]


def _run(program: str, command: Sequence[str], jars: Jars) -> None:
    done = subprocess.run(list(command), capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        last = last_lines(done.stdout + done.stderr)
        raise ToolError(
            f"{program} could not fetch {jars.name}:\n{last}\nWhere a mirror or proxy is needed, use Maven and name it in "
            f"~/.m2/settings.xml{jars.otherwise}."
        )
