"""The job from start to end."""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from py4j.protocol import Py4JJavaError, Py4JNetworkError
from pyspark.errors import PySparkException

from distribution_job import diagnosis, python_filters, session, sources
from distribution_job.alert_files import AlertFile, all_without
from distribution_job.alert_reader import AlertReader
from distribution_job.backlog import Backlog
from distribution_job.backoff import Backoff
from distribution_job.batches import Batches
from distribution_job.beginning import Beginning
from distribution_job.config import Guarantee, JobConfig
from distribution_job.delivery import delivery
from distribution_job.discovery import Discovery, Looking
from distribution_job.distributor import Distributor, Result
from distribution_job.drain import Drain, Draining
from distribution_job.drift import Drift
from distribution_job.failures import Failure, Reason
from distribution_job.ingest import Ingest
from distribution_job.lag import LagWatch
from distribution_job.leftovers import Leftovers
from distribution_job.metrics import Metrics
from distribution_job.progress import Progress, State
from distribution_job.progress_writer import KubernetesTarget, LogTarget, ProgressWriter
from distribution_job.quarantine import Quarantine
from distribution_job.registry import Registry
from distribution_job.schemas import Schemas
from distribution_job.stages import Stage, StageTimes
from distribution_job.topics import Topics

LOG = logging.getLogger(__name__)
READY_VARIABLE = "FINK_READY_FILE"
_TICK = 0.2  # seconds between two looks at the query


def run(config: JobConfig) -> None:
    """Run until a signal asks for the end.

    Raises what cannot be mended from here: Spark that does not start, or whose JVM is gone; another driver on the same
    checkpoint.
    """
    drain = Drain()
    drain.listen()
    names = [output.name for output in config.outputs]
    backlog, quarantine = Backlog(config.checkpoint / "backlog", names), Quarantine(config.checkpoint / "quarantine")
    progress = Progress(names)
    for name in names:
        progress.output(name, None, backlog.pending(name))
    progress.quarantined(quarantine.held())
    target = KubernetesTarget(config.namespace, config.name) if config.progress.to == "kubernetes" else LogTarget()
    writer = ProgressWriter(progress, target, config.progress.interval_seconds)
    metrics = Metrics(progress, knows_bytes=config.delivery.guarantee is Guarantee.EXACTLY_ONCE)
    writer.start()
    with metrics.served(config.metrics_port, progress.note):
        try:
            job = Job(config, progress, metrics, drain, backlog, quarantine)
            drain.listen()
            job.loop()
            progress.state(State.DRAINING)
        finally:
            writer.stop()
        job.end()
    LOG.info("drained")


class Job:
    """The parts, put together; the main thread loops, the batches come in discovery's."""

    def __init__(
        self,
        config: JobConfig,
        progress: Progress,
        metrics: Metrics,
        drain: Drain,
        backlog: Backlog,
        quarantine: Quarantine,
    ) -> None:
        self._config = config
        self._progress = progress
        self._metrics = metrics
        self._times = StageTimes()
        self._drain = drain
        self._ready = Path(os.environ[READY_VARIABLE]) if os.environ.get(READY_VARIABLE) else None
        self._quarantine = quarantine
        started = time.monotonic()
        staging = sources.staging(config, drain) if sources.is_staged(config) else None
        self._spark = session.start(config.name, {**sources.session(config), **config.spark_conf})
        LOG.info("Spark started in %.1f s", time.monotonic() - started)
        watched = sources.watched(config)
        self._discovery = Discovery(
            self._spark,
            watched.folder,
            config.checkpoint,
            watched.files_per_batch,
            config.trigger_seconds,
            metrics.stages,
        )
        self._beginning = Beginning(config.checkpoint / "beginning.json", watched.starting_from, self._discovery)
        self._ingest: Ingest | None = None
        behind: Callable[[], int | None] | None = None
        if staging is not None:
            source = sources.source(config, self._spark, self._discovery.find, progress.note)
            interval = config.trigger_seconds
            self._ingest = Ingest(source, staging, interval, backlog, quarantine, drain, progress.source)
            behind = source.behind
        self._lag = LagWatch(self._discovery.waiting(), behind, progress.lag, config.trigger_seconds, drain)
        self._batches = Batches(
            AlertReader(
                self._spark,
                watched.folder,
                Drift(config.checkpoint / "columns.json", progress.note).look,
                self._times,
            ),
            Distributor(
                config,
                Topics(config.kafka),
                Schemas(config.checkpoint / "schemas", Registry(config.registry) if config.registry else None),
                delivery(config, backlog, self._times),
                python_filters.allowed_packages(),
                self._times,
            ),
            quarantine,
            drain,
            progress.error,
        )
        self._leftovers = Leftovers(config, self._batches, backlog, quarantine, progress, drain, self._discovery.find)

    def loop(self) -> None:
        """Keep discovery running until the job is to end; start it anew, after a pause, when it fails."""
        backoff = Backoff()
        self._progress.state(State.RUNNING if self._discovery.began() else State.WAITING)
        if self._ingest is not None:
            self._ingest.start()
        while not self._drain.asked:
            error: Exception | None = None
            try:
                looking = self._begin()
                if looking is not None:
                    self._watch(looking, backoff)
                    error = looking.error
            except (Draining, Py4JNetworkError):
                if not self._drain.asked:
                    raise
            except (PySparkException, Py4JJavaError, OSError, sqlite3.Error) as raised:
                error = raised
            finally:
                self._set_ready(False)
            if error is None or self._drain.asked:
                continue
            if isinstance(error, Py4JNetworkError) or diagnosis.of_two_drivers(error):
                raise error
            failure = Failure(
                Reason.SOURCE_UNAVAILABLE, f"The alerts cannot be looked for: {diagnosis.sentence(error)}"
            )
            pause = backoff.next()
            LOG.warning("%s: %s (again in %.0f s)", failure.reason, failure.message, pause)
            self._progress.error(failure)
            self._drain.wait(pause)

    def end(self) -> None:
        if self._ingest is not None:
            self._ingest.end()
        self._spark.stop()

    def _begin(self) -> Looking | None:
        """What is running, once the folder is there; None when the job is to end first."""
        said = False
        self._set_ready(True)  # an empty science database is no fault of the stream's
        self._beginning.settle()
        self._lag.start()
        while not self._discovery.folder_exists():
            if not said:
                LOG.info("waiting for the folder %s", self._config.source.place)
                said = True
            if self._drain.wait(max(1.0, min(5.0, self._config.trigger_seconds))):
                return None
        return self._discovery.start(self._batch)

    def _watch(self, looking: Looking, backoff: Backoff) -> None:
        """Until it ends, which it does between two batches when the job is to end."""
        while looking.alive and not self._drain.wait(_TICK):
            if looking.batches:
                backoff.reset()
            if self._ingest is not None:
                self._ingest.check()
            self._leftovers.step()
        if self._drain.asked:
            LOG.info("draining")
            self._progress.state(State.DRAINING)
            self._set_ready(False)
            looking.stop()

    def _batch(self, number: int, files: Sequence[AlertFile]) -> None:
        self._drain.check()
        self._progress.state(State.RUNNING)
        self._lag.found(files)
        with self._leftovers.passes:
            self._drain.check()
            self._times.take()  # what was done between the batches is no part of this one
            started = time.monotonic()
            if self._ingest is not None:
                self._ingest.clean(number)
            held = [held.file for held in self._quarantine.held()]
            wanted = all_without(filter(self._beginning.includes, files), held)
            result = self._batches.run(f"batch-{number:012d}", wanted, self._config.outputs)
            if self._ingest is not None:
                with self._times.of(Stage.LEDGER):
                    self._ingest.distributed(number, files)
            seconds = time.monotonic() - started
            stages = self._times.take()
            self._leftovers.note(result)
        self._lag.distributed(files)
        self._metrics.batch(seconds, stages)
        self._progress.batch(number, result.rows, seconds, stages)
        LOG.info("batch %d: %d files, %d alerts, %.2f s%s", number, len(files), result.rows, seconds, _matched(result))

    def _set_ready(self, ready: bool) -> None:
        if self._ready is None:
            return
        if ready:
            self._ready.touch()
        else:
            self._ready.unlink(missing_ok=True)


def _matched(result: Result) -> str:
    counted = "".join(f", {name} {counts.matched}" for name, counts in result.counts.items())
    failed = "".join(f", {name} {failure.reason}" for name, failure in result.failures.items())
    return counted + failed
