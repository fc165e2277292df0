"""Java, as the brokers and Spark need it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

from fink_distribution.local_kafka.errors import ToolError

OLDEST = 17
"""Brokers of Kafka 4 need it (KIP-1013)."""

_HEAP = "-Xmx512m"
_VERSION = re.compile(r'version "(?:1\.)?([0-9]+)')
_MEND = f"Install Java {OLDEST} or newer (Debian, Ubuntu: apt-get install openjdk-{OLDEST}-jre-headless), or name one by JAVA_HOME."


def find_java() -> str:
    """Return the program `java`. Raises as `look_for_java`."""
    return look_for_java()[0]


def look_for_java() -> tuple[str, int]:
    """Return the program `java`, that of JAVA_HOME, else the first on PATH; and its version.

    Raises
    ------
    ToolError
        There is none, or it is too old.
    """
    home = os.environ.get("JAVA_HOME")
    program = str(Path(home, "bin", "java")) if home else shutil.which("java")
    if program is None:
        raise ToolError(f"Java is missing: there is no java on PATH. {_MEND}")
    try:
        done = subprocess.run([program, "-version"], capture_output=True, text=True, check=False)
    except OSError as error:
        raise ToolError(f"Java is missing: {program}: {error.strerror}. {_MEND}") from None
    found = _VERSION.search(done.stderr + done.stdout)
    if found is None:
        raise ToolError(f"{program} -version does not say which Java it is. {_MEND}")
    if int(found[1]) < OLDEST:
        raise ToolError(f"{program} is Java {found[1]}, and Kafka and Spark need {OLDEST}. {_MEND}")
    return program, int(found[1])


def kafka_command(java: str, libraries: Path, main: str, *arguments: str | Path) -> list[str]:
    """Return the command line of one of Kafka's programs; KAFKA_HEAP_OPTS sets its memory, as with Kafka's own scripts."""
    heap = shlex.split(os.environ.get("KAFKA_HEAP_OPTS", _HEAP))
    options = [*heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]
    logs = ["-Dorg.slf4j.simpleLogger.showDateTime=true", "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS"]
    return [java, *options, *logs, "-cp", f"{libraries}/*", main, *map(str, arguments)]
