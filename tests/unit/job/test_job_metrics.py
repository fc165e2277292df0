"""What the job tells Prometheus, and how it times the stages of a batch."""

from __future__ import annotations

import pytest
import requests

from distribution_job.alert_files import AlertFile
from distribution_job.failures import Failure, Reason
from distribution_job.lag import Lag
from distribution_job.metrics import PREFIX, Metrics
from distribution_job.progress import Counts, Progress
from distribution_job.quarantine import Quarantined
from distribution_job.stages import Stage, StageTimes
from scraping import scraped
from testbed.ports import pick

NOW = 1_800_000_000.0
RAISED = Failure(Reason.FILTER_RAISED, "it raised")
AWAY = Failure(Reason.KAFKA_UNAVAILABLE, "away")


def made() -> tuple[Progress, Metrics]:
    progress = Progress(["a", "b"])
    return progress, Metrics(progress, knows_bytes=True, clock=lambda: NOW)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    found: float | None = metrics.collectors.get_sample_value(PREFIX + name, labels)
    return found


def fill(progress: Progress) -> None:
    progress.count("a", Counts(matched=10, published=4, failed=3, dropped=3, too_large=1, published_bytes=5000))
    progress.output("b", RAISED, pending=7)
    progress.quarantined([Quarantined(AlertFile("file:/x", 0, 0), RAISED)])
    progress.error(AWAY)
    progress.error(AWAY)
    progress.source(Failure(Reason.SOURCE_INVALID, "another topic"))
    progress.lag(Lag(3, 4096, int((NOW - 60) * 1000), messages=12))


@pytest.mark.parametrize(
    ("name", "labels", "before", "after"),
    [
        ("alerts_matched_total", {"output": "a"}, 0, 10),
        ("alerts_matched_total", {"output": "b"}, 0, 0),
        ("alerts_published_total", {"output": "a"}, 0, 4),
        ("published_bytes_total", {"output": "a"}, 0, 5000),
        ("alerts_dropped_total", {"output": "a", "reason": "maxAlertsPerBatch"}, 0, 3),
        ("alerts_failed_total", {"output": "a", "reason": "FilterRaised"}, 0, 2),
        ("alerts_failed_total", {"output": "a", "reason": "EncodingFailed"}, 0, 1),
        ("output_stopped", {"output": "a"}, 0, 0),
        ("output_stopped", {"output": "b"}, 0, 1),
        ("output_waiting_files", {"output": "b"}, 0, 7),
        ("quarantined_files", {}, 0, 1),
        ("failed_attempts_total", {"reason": "KafkaUnavailable"}, 0, 2),
        ("failed_attempts_total", {"reason": "SourceInvalid"}, 0, 1),
        ("failed_attempts_total", {"reason": "BatchFailed"}, 0, 0),
        ("lag_files", {}, None, 3),
        ("lag_bytes", {}, None, 4096),
        ("lag_age_seconds", {}, None, 60),
        ("lag_messages", {}, None, 12),
    ],
)
def test_what_the_progress_knows_is_told_from_the_start(
    name: str, labels: dict[str, str], before: float | None, after: float
) -> None:
    progress, metrics = made()
    assert value(metrics, name, **labels) == before
    fill(progress)
    assert value(metrics, name, **labels) == after


def test_a_batch_is_counted_and_timed() -> None:
    progress, metrics = made()
    assert value(metrics, "last_batch_timestamp_seconds") == 0
    assert value(metrics, "stage_duration_seconds_count", stage="commit") == 0
    for seconds in (0.3, 40.0):
        progress.batch(1, 100, seconds, {Stage.PASS: seconds / 2})
        metrics.batch(seconds, {Stage.PASS: seconds / 2})
    assert value(metrics, "alerts_read_total") == 200
    assert value(metrics, "batch_duration_seconds_count") == 2
    assert value(metrics, "batch_duration_seconds_bucket", le="0.5") == 1
    assert value(metrics, "stage_duration_seconds_sum", stage="pass") == pytest.approx(20.15)
    assert (value(metrics, "last_batch_timestamp_seconds") or 0) > 1_700_000_000
    assert progress.document()["stageMilliseconds"] == {"pass": 20_000}


def test_nothing_that_waits_has_no_age() -> None:
    progress, metrics = made()
    progress.lag(Lag())
    assert (value(metrics, "lag_files"), value(metrics, "lag_age_seconds")) == (0, 0)
    assert value(metrics, "lag_messages") is None, "only a topic has messages"
    progress.lag(None)
    assert value(metrics, "lag_files") is None, "what is not known any more is not told"


def test_prometheus_reads_them_and_a_port_that_is_taken_keeps_no_alert_back() -> None:
    progress, metrics = made()
    fill(progress)
    port, notes = pick("job-metrics"), list[str]()
    with metrics.served(port, notes.append):
        found = scraped(port)
        assert found[PREFIX + 'alerts_published_total{output="a"}'] == 4
        assert found["process_resident_memory_bytes"] > 0
        assert [name for name in found if name.startswith(PREFIX + "build_info")] == [
            PREFIX + 'build_info{version="0.1.0"}'
        ]
        assert requests.get(f"http://127.0.0.1:{port}/", timeout=10).text == "Answered here: /metrics.\n"
        assert notes == []
        with metrics.served(port, notes.append):
            (note,) = notes
            assert f"metrics.port: {port} cannot be opened" in note
            assert "the alerts are distributed without" in note
    with metrics.served(None, notes.append), pytest.raises(requests.ConnectionError):
        scraped(port)


def test_stages_add_up_until_they_are_taken_also_when_they_fail() -> None:
    ticks = iter(range(100))
    times = StageTimes(lambda: float(next(ticks)))
    for _ in range(2):
        with times.of(Stage.PASS):
            pass
    with pytest.raises(ValueError, match="no"), times.of(Stage.COMMIT):
        raise ValueError("no")
    assert times.take() == {Stage.PASS: 2.0, Stage.COMMIT: 1.0}
    assert times.take() == {}
