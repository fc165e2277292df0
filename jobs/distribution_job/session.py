"""The Spark session."""

from __future__ import annotations

import logging
import os
import secrets
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

_SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
_LONGEST_PREFIX = 47  # characters; Spark adds the executor's number to it, for a name of at most 63

_LOGGING = Path(__file__).resolve().with_name("log4j2.properties")

# A pass over alerts of 300 columns is so much generated code that the second compiler (C2) takes more of a processor than the pass
# itself for the first fifty thousand alerts, and what it makes is hardly faster: most of the work is moving bytes. Without C2, Java
# reserves 48 MiB for compiled code in place of 240. Forty different passes fill that, and then nothing is compiled until it has thrown code away.
#
# What a pass encodes lies in memory several times on its way to the driver, and each collection moves it. The serial collector, which Java
# chooses where there is little memory, stopped passes with cutouts for nearly half of their time. G1 is as fast as the parallel one, and takes more memory.
JAVA = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m -XX:+UseParallelGC"

# The configuration may say otherwise.
_DEFAULTS = {
    # Whatever extraJavaOptions are configured, these come before them.
    "spark.driver.defaultJavaOptions": f"-Dlog4j2.configurationFile={_LOGGING.as_uri()}",
    "spark.driver.extraJavaOptions": JAVA,
    "spark.executor.extraJavaOptions": JAVA,
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # A pass has no shuffle, so adaptive execution has nothing to adapt.
    "spark.sql.adaptive.enabled": "false",
    # An endless driver need not remember its past.
    "spark.ui.retainedJobs": "50",
    "spark.ui.retainedStages": "50",
    "spark.ui.retainedTasks": "1000",
    "spark.sql.ui.retainedExecutions": "50",
    "spark.sql.streaming.minBatchesToRetain": "20",
    # More than 32 files are listed by a Spark job, of a task for each file.
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "16",
    # Beyond 100 fields, nested ones counted, Spark would read row by row; a ZTF alert has 300.
    "spark.sql.codegen.maxFields": "2000",
    # It notes for each column the line of Python that made it, which took a third of a pass's preparation.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
    # fink-filters' ZTF functions are declared in a way that pyspark warns of, in every worker.
    "spark.executorEnv.PYTHONWARNINGS": "ignore::UserWarning:pyspark.sql.pandas.functions",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "2000",
    # A timestamp in nanoseconds is read as a long instead of being refused, which would hold up the stream.
    "spark.sql.legacy.parquet.nanosAsLong": "true",
    # A damaged page with a checksum is an error instead of wrong values.
    "spark.hadoop.parquet.page.verify-checksum.enabled": "true",
}

# The job's promises rest on these.
_ALWAYS = {
    # A bad cast in an SQL filter is null, hence no match, and not the end of the batch.
    "spark.sql.ansi.enabled": "false",
    "spark.sql.session.timeZone": "UTC",
    # Kafka is left out of the default list: only the V2 sink keeps the counts that a pass observes.
    "spark.sql.sources.useV1SourceList": "avro,csv,json,orc,parquet,text",
    # Files that vanish are reported by the pass that reads them; discovery is not to stop for them.
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
    # A filter looks at the alert, not at other files, and not at the driver's environment: ${env:HOME} is five characters and a name.
    "spark.sql.runSQLOnFiles": "false",
    "spark.sql.variable.substitute": "false",
    # A worker that is ended while a filter hangs leaves behind where that was (`time_limit`).
    "spark.python.worker.faulthandler.enabled": "true",
}


def configuration(
    name: str, configured: Mapping[str, str], environment: Mapping[str, str], attempt: str
) -> dict[str, str]:
    """Every Spark property of the session; `attempt` makes the executors' names this start's own.

    In a pod (POD_NAME, POD_IP) the driver runs in client mode: it is told its own name, so that executors belong to it,
    and the address at which they find it.
    """
    chosen = {**_DEFAULTS, **configured, **_ALWAYS}
    chosen.setdefault("spark.app.name", name)
    if chosen["spark.master"].startswith("k8s://"):
        room = _LONGEST_PREFIX - len(attempt) - 1
        chosen["spark.kubernetes.executor.podNamePrefix"] = f"{name[:room].rstrip('-.')}-{attempt}"
        if "POD_NAME" in environment and "POD_IP" in environment:
            chosen |= {
                "spark.kubernetes.driver.pod.name": environment["POD_NAME"],
                "spark.driver.host": environment["POD_IP"],
                "spark.driver.bindAddress": "0.0.0.0",  # noqa: S104  the pod's own network namespace
                "spark.kubernetes.authenticate.caCertFile": f"{_SERVICE_ACCOUNT}/ca.crt",
                "spark.kubernetes.authenticate.oauthTokenFile": f"{_SERVICE_ACCOUNT}/token",
            }
    return chosen


_launching = False


def _ignore_sigterm() -> None:
    if _launching:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)


os.register_at_fork(after_in_child=_ignore_sigterm)


@contextmanager
def _deaf_to_sigterm() -> Iterator[None]:
    """What is started meanwhile ignores SIGTERM.

    A terminal, systemd and timeout(1) signal the whole process group. The JVM would end at once, in the middle of a batch,
    while this process waits for the batch's end; it follows when this process has gone. pyspark does so for SIGINT.
    """
    global _launching  # noqa: PLW0603  the hook has no other way to know
    _launching = True
    try:
        yield
    finally:
        _launching = False


def start(name: str, configured: Mapping[str, str]) -> SparkSession:
    """Start Spark, quietly."""
    # Without it Spark takes the python3 of PATH for its workers, whatever runs the driver; the images are the same.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder
    for key, value in configuration(name, configured, os.environ, secrets.token_hex(4)).items():
        builder = builder.config(key, value)
    with _deaf_to_sigterm():
        spark = builder.getOrCreate()
    logging.getLogger("SQLQueryContextLogger").setLevel(logging.CRITICAL)  # pyspark's, with the same traces
    return spark
