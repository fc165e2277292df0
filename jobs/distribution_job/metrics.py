"""What the job counts and times, for Prometheus.

Labels take few values: the outputs of the configuration, the stages of a batch, and reasons; never topics, files or alerts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import metadata
from typing import Any

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, Summary
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from distribution_job.failures import Reason
from distribution_job.progress import Counts, Figures, Progress
from distribution_job.stages import Stage
from job_settings import endpoints

Samples = Mapping[Any, float]
"""Values by those of the labels, a tuple."""

PREFIX = "fink_distribution_job_"
_BATCH_SECONDS = (0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
_OF_ATTEMPTS = (Reason.KAFKA_UNAVAILABLE, Reason.SOURCE_UNAVAILABLE, Reason.SOURCE_INVALID, Reason.BATCH_FAILED)


class Metrics:
    """The metrics of one process, all there from the start, so that the first alert is an increase."""

    def __init__(self, progress: Progress, *, knows_bytes: bool, clock: Callable[[], float] = time.time) -> None:
        """`knows_bytes`: whether the delivery knows how many it sends. `clock`: seconds since 1970."""
        self.collectors = CollectorRegistry()
        ProcessCollector(registry=self.collectors)
        self.collectors.register(_Counted(progress, knows_bytes, clock))
        self._batches = Histogram(
            f"{PREFIX}batch_duration_seconds",
            "How long batches took that have been distributed, their repetitions included.",
            buckets=_BATCH_SECONDS,
            registry=self.collectors,
        )
        self._stages = Summary(
            f"{PREFIX}stage_duration_seconds",
            "How long each stage of a batch took.",
            ["stage"],
            registry=self.collectors,
        )
        for stage in Stage:
            self._stages.labels(stage)

    @contextmanager
    def served(self, port: int | None, note: Callable[[str], None]) -> Iterator[None]:
        """Answer Prometheus while the context lasts; `note` is told when the port cannot be opened, and the alerts do not wait for it."""
        with ExitStack() as opened:
            try:
                opened.enter_context(endpoints.serve(port, self.collectors))
            except endpoints.PortError as error:
                note(f"{error} Until the next start there are no metrics; the alerts are distributed without.")
            yield

    def batch(self, seconds: float, stages: Mapping[Stage, float]) -> None:
        """Time a batch that has been distributed, and its stages."""
        self._batches.observe(seconds)
        self.stages(stages)

    def stages(self, seconds: Mapping[Stage, float]) -> None:
        """Time stages."""
        for stage, part in seconds.items():
            self._stages.labels(stage).observe(part)


class _Counted(Collector):
    """What the progress knows already, read from it when Prometheus asks."""

    def __init__(self, progress: Progress, knows_bytes: bool, clock: Callable[[], float]) -> None:
        self._progress = progress
        self._knows_bytes = knows_bytes
        self._clock = clock

    def collect(self) -> Iterable[Metric]:
        figures = self._progress.figures()
        yield _gauge("build_info", "The version that runs.", {(_version(),): 1}, "version")
        yield from _of_outputs(figures)
        if self._knows_bytes:
            lengths = {(name,): counts.published_bytes for name, counts in figures.counts.items()}
            yield _counter("published_bytes", "Size of the encoded alerts that were sent.", lengths, "output")
        yield _counter("alerts_read", "Alerts that were read from the source.", {(): figures.rows})
        yield _counter(
            "failed_attempts",
            "Attempts at a batch or at the source that failed, and were made again.",
            {(str(reason),): figures.failed_attempts.get(reason, 0) for reason in _OF_ATTEMPTS},
            "reason",
        )
        yield _gauge("quarantined_files", "Files that cannot be read.", {(): figures.quarantined})
        yield _gauge(
            "last_batch_timestamp_seconds",
            "When the last batch was distributed; 0 before the first.",
            {(): figures.ended},
        )
        yield from self._lag(figures)

    def _lag(self, figures: Figures) -> Iterator[Metric]:
        lag = figures.lag
        if lag is None:
            return
        age = 0.0 if lag.oldest is None else max(0.0, self._clock() - lag.oldest / 1000)
        yield _gauge("lag_files", "Files that have not been distributed.", {(): lag.files})
        yield _gauge("lag_bytes", "Size of the files that have not been distributed.", {(): lag.length})
        yield _gauge(
            "lag_age_seconds", "Time since the oldest file that waits was modified; 0 when none waits.", {(): age}
        )
        if lag.messages is not None:
            yield _gauge(
                "lag_messages", "Messages of the source's topic that are not in a file yet.", {(): lag.messages}
            )


def _version() -> str:
    try:
        return metadata.version("fink-distribution")
    except metadata.PackageNotFoundError:
        return "unknown"  # it runs from a checkout


def _of_outputs(figures: Figures) -> Iterator[Metric]:
    def each(value: Callable[[Counts], int]) -> Samples:
        return {(name,): value(counts) for name, counts in figures.counts.items()}

    yield _counter(
        "alerts_matched", "Alerts that the filter let through.", each(lambda counts: counts.matched), "output"
    )
    yield _counter(
        "alerts_published", "Alerts that were sent to the topic.", each(lambda counts: counts.published), "output"
    )
    failed = {}
    for name, counts in figures.counts.items():
        failed[name, str(Reason.FILTER_RAISED)] = counts.failed - counts.too_large
        failed[name, str(Reason.ENCODING_FAILED)] = counts.too_large
    yield _counter(
        "alerts_failed", "Alerts that the filter raised on, or that were too large.", failed, "output", "reason"
    )
    dropped = {(name, "maxAlertsPerBatch"): counts.dropped for name, counts in figures.counts.items()}
    yield _counter("alerts_dropped", "Alerts that matched and are not published.", dropped, "output", "reason")
    stopped = {(name,): float(name in figures.stopped) for name in figures.counts}
    yield _gauge("output_stopped", "1 while the output does not work, its filter for example.", stopped, "output")
    waiting = {(name,): files for name, files in figures.pending.items()}
    yield _gauge("output_waiting_files", "Files that wait until the output works again.", waiting, "output")


def _counter(name: str, text: str, samples: Samples, *labels: str) -> Metric:
    return _filled(CounterMetricFamily(PREFIX + name, text, labels=labels), samples)


def _gauge(name: str, text: str, samples: Samples, *labels: str) -> Metric:
    return _filled(GaugeMetricFamily(PREFIX + name, text, labels=labels), samples)


def _filled(
    family: CounterMetricFamily | GaugeMetricFamily, samples: Samples
) -> CounterMetricFamily | GaugeMetricFamily:
    for labels, value in samples.items():
        family.add_metric(labels, value)
    return family
