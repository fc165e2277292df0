"""An archive of the classes that Spark loads (JEP 350): with it the JVM of a job starts in half the processor's time."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

from fink_distribution.local_kafka import cache
from testbed import jars, paths
from testbed.cache import fingerprint
from testbed.commands import run
from testbed.steps import note, step

VARIABLE = "SPARK_SUBMIT_OPTS"


def use() -> None:
    """Have all Spark that is started from now on use it; Java leaves it alone if it is not made of the same jars."""
    if VARIABLE not in os.environ:
        os.environ[VARIABLE] = f"-XX:SharedArchiveFile={_archive()} -Xlog:cds=off -Xlog:cds+dynamic=off"


def _archive() -> Path:
    """Within the virtual environment, since it is of no use for another's jars."""
    spec = importlib.util.find_spec("pyspark")
    assert spec is not None
    assert spec.origin is not None
    ours = sorted((jar.name, jar.stat().st_mtime_ns) for jar in (Path(spec.origin).parent / "jars").iterdir())
    java = subprocess.run(["java", "-version"], capture_output=True, text=True, check=True).stderr
    training = Path(__file__).with_name("spark_training.py")
    key = fingerprint([java, repr(ours), jars.spark().name, training.read_text()])

    def make(folder: Path) -> None:
        with step("An archive of Spark's classes"):
            connectors = ",".join(map(str, sorted(jars.spark().glob("*.jar"))))
            places = [str(paths.CHECKOUT / part) for part in ("jobs", "operator", "tests", "examples")]
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
            words: list[str | Path] = [sys.executable, "-m", "testbed.spark_training", folder / "spark.jsa", connectors]
            run(words, env=environment, log="spark-classes")

    folder = Path(sys.prefix) / "spark-classes" / key
    cache.made_once(folder, make, lambda: note(f"Waiting for another run of the testbed, which makes {folder}"))
    return folder / "spark.jsa"
