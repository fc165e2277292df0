from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from kubernetes import client

from distribution_job.alert_files import AlertFile
from distribution_job.failures import LONGEST, Failure, Reason, choices, one_line
from distribution_job.progress import Counts, Progress, State
from distribution_job.progress_writer import KubernetesTarget, ProgressWriter
from distribution_job.quarantine import Quarantined

NOW = datetime(2026, 3, 1, 12, 0, 5, 999_999, tzinfo=UTC)
RAISED = Failure(Reason.FILTER_RAISED, "it raised")


def progress() -> Progress:
    return Progress(["a", "b"], now=lambda: NOW)


def test_a_fresh_document() -> None:
    empty = {"matched": 0, "published": 0, "failed": 0, "dropped": 0, "pendingFiles": 0}
    assert progress().document() == {
        "state": "Starting",
        "rowsRead": 0,
        "outputs": [{"name": "a", **empty}, {"name": "b", **empty}],
        "quarantinedFiles": [],
        "quarantinedFileCount": 0,
    }


def test_what_batches_add_up_to() -> None:
    made = progress()
    made.state(State.RUNNING)
    for number in (6, 7):
        made.count("a", Counts(matched=10, published=9, failed=1))
        made.batch(number, rows=100, seconds=0.3)
    document = made.document()
    assert document["outputs"][0] == {
        "name": "a",
        "matched": 20,
        "published": 18,
        "failed": 2,
        "dropped": 0,
        "pendingFiles": 0,
    }
    assert {
        key: document[key] for key in ("batchId", "rowsRead", "inputRowsPerSecond", "batchDurationMilliseconds")
    } == {
        "batchId": 7,
        "rowsRead": 200,
        "inputRowsPerSecond": 333,
        "batchDurationMilliseconds": 300,
    }
    assert document["lastBatchTime"] == "2026-03-01T12:00:05Z"
    assert not any(isinstance(value, float) for value in _leaves(document))


def test_an_error_goes_with_the_next_batch_and_an_output_s_when_it_works() -> None:
    made = progress()
    made.error(Failure(Reason.KAFKA_UNAVAILABLE, "no broker\nanswers"))
    made.output("b", RAISED, pending=3)
    document = made.document()
    assert (document["lastError"], document["lastErrorReason"]) == ("no broker answers", "KafkaUnavailable")
    assert document["outputs"][1]["reason"] == "FilterRaised"
    assert document["outputs"][1]["pendingFiles"] == 3
    made.batch(1, 1, 1.0)
    made.output("b", None, pending=0)
    document = made.document()
    assert "lastError" not in document
    assert "reason" not in document["outputs"][1]


def test_at_most_twenty_quarantined_files_are_listed() -> None:
    made = progress()
    broken = Failure(Reason.FILE_UNREADABLE, "damaged")
    made.quarantined(Quarantined(AlertFile(f"file:/{n}", 0, 0), broken) for n in range(25))
    document = made.document()
    assert (len(document["quarantinedFiles"]), document["quarantinedFileCount"]) == (20, 25)
    assert document["quarantinedFiles"][0] == {"path": "file:/0", "reason": "FileUnreadable"}


@pytest.mark.parametrize(
    ("text", "flat"), [("a\n\tb\x00c  d", "a b c d"), ("x" * 5000, "x" * (LONGEST - 1) + "…"), ("", "")]
)
def test_error_texts_are_one_bounded_line(text: str, flat: str) -> None:
    assert one_line(text) == flat


@pytest.mark.parametrize(
    ("wanted", "existing", "said"),
    [
        ("candi", ["candid", "ra"], "Close to it: candid."),
        ("CANDID", ["candid", "ra"], "Close to it: candid."),
        ("zzz", ["candid", "ra"], "There are: candid, ra."),
        ("zzz", [f"column{n}" for n in range(14)], "and 2 more."),
        ("zzz", [], "There are none."),
    ],
)
def test_hints(wanted: str, existing: list[str], said: str) -> None:
    assert choices(wanted, existing).endswith(said)


class Writes:
    def __init__(self) -> None:
        self.documents: list[dict[str, Any]] = []
        self.broken = False

    def write(self, document: dict[str, Any]) -> None:
        if self.broken:
            raise OSError("API server away")
        self.documents.append(document)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_counts_wait_for_the_interval_and_health_does_not(caplog: pytest.LogCaptureFixture) -> None:
    made, target, clock = progress(), Writes(), Clock()
    writer = ProgressWriter(made, target, 5, clock)
    writer.step()
    made.batch(0, 1, 1.0)
    writer.step()
    assert len(target.documents) == 1, "a count is not urgent"
    clock.now = 5.0
    writer.step()
    assert target.documents[-1]["batchId"] == 0
    writer.step()
    assert len(target.documents) == 2, "nothing new, nothing written"
    made.output("a", RAISED, 1)
    writer.step()
    assert target.documents[-1]["outputs"][0]["reason"] == "FilterRaised", "health is written at once"
    target.broken = True
    for second in range(6, 30):
        clock.now = float(second)
        made.batch(second, 1, 1.0)
        writer.step()
    assert [record.message for record in caplog.records].count(
        "progress cannot be written and is tried again: API server away"
    ) == 1
    target.broken = False
    clock.now = 40.0
    writer.step()
    assert target.documents[-1]["batchId"] == 29, "what could not be written is not forgotten"


def test_the_thread_writes_the_last_state_when_it_ends() -> None:
    made, target = progress(), Writes()
    writer = ProgressWriter(made, target, 3600)
    writer.start()
    made.batch(5, 1, 1.0)
    made.state(State.DRAINING)
    writer.stop()
    assert target.documents[-1]["state"] == "Draining"
    assert target.documents[-1]["batchId"] == 5


@pytest.fixture
def api_server() -> Iterator[tuple[str, list[tuple[str, str, str, Any]]]]:
    """An HTTP server that notes what it is asked."""
    seen: list[tuple[str, str, str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PATCH(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            seen.append((self.command, self.path, self.headers["Content-Type"], json.loads(body)))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()


def test_status_is_applied_by_the_server_under_our_own_name(
    api_server: tuple[str, list[tuple[str, str, str, Any]]],
) -> None:
    address, seen = api_server
    api = client.CustomObjectsApi(client.ApiClient(client.Configuration(host=address)))
    KubernetesTarget("astro", "ztf", api).write({"state": "Running"})
    [(method, path, content, body)] = seen
    way = "/apis/distribution.fink-broker.org/v1alpha1/namespaces/astro/distributionstreams/ztf/status"
    assert (method, path.partition("?")[0]) == ("PATCH", way)
    assert "fieldManager=fink-distribution-driver" in path
    assert "force=True" in path or "force=true" in path
    assert content == "application/apply-patch+yaml"
    assert body["status"] == {"progress": {"state": "Running"}}
    assert (body["apiVersion"], body["kind"]) == ("distribution.fink-broker.org/v1alpha1", "DistributionStream")


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for below in value.values():
            yield from _leaves(below)
    elif isinstance(value, list):
        for below in value:
            yield from _leaves(below)
    else:
        yield value
