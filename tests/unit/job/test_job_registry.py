"""What a registry may answer, on the wire; a real one is asked in tests/kafka."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from distribution_job import config
from distribution_job.avro_schema import AvroSchema
from distribution_job.failures import Failure, OutputError, Reason
from distribution_job.registry import Registry

SCHEMA = AvroSchema('{"type":"string"}', "fink.alert", "0" * 16)


@dataclass
class Server:
    url: str = ""
    status: int = 200
    body: bytes = b'{"id": 7}'
    asked: list[tuple[str, Any, str | None]] = field(default_factory=list)


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            state.asked.append((self.path, json.loads(self.rfile.read(length)), self.headers["Authorization"]))
            self.send_response(state.status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(state.body)

        def do_GET(self) -> None:
            state.asked.append((self.path, None, self.headers["Authorization"]))
            self.send_response(state.status)
            self.end_headers()
            self.wfile.write(state.body)

        def log_message(self, *args: Any) -> None:
            pass

    listening = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{listening.server_port}/api"
    threading.Thread(target=listening.serve_forever, daemon=True).start()
    yield state
    listening.shutdown()
    listening.server_close()


def failure(registry: Registry, topic: str = "t") -> Failure:
    with pytest.raises(OutputError) as caught:
        registry.identify(topic, SCHEMA)
    return caught.value.failure


def test_an_id_is_asked_for_once(server: Server, tmp_path: Path) -> None:
    (tmp_path / "username").write_text("driver\n")
    (tmp_path / "password").write_text("word\n")
    registry = Registry(config.Registry(server.url + "/", tmp_path, None))
    assert [registry.identify("t.1", SCHEMA) for _ in range(3)] == [7] * 3
    assert server.asked == [("/api/subjects/t.1-value/versions", {"schema": SCHEMA.text}, "Basic ZHJpdmVyOndvcmQ=")]


@pytest.mark.parametrize(
    ("status", "body", "reason", "said"),
    [
        (409, b'{"error_code": 409, "message": "reader lacks x"}', Reason.SCHEMA_INCOMPATIBLE, "reader lacks x"),
        (401, b"", Reason.REGISTRY_UNAVAILABLE, "refuses the login (HTTP 401)"),
        (403, b"", Reason.REGISTRY_UNAVAILABLE, "needs to register schemas for t-value"),
        (500, b"<html>\nno</html>", Reason.REGISTRY_UNAVAILABLE, "(HTTP 500): <html> no</html>"),
        (302, b"", Reason.REGISTRY_UNAVAILABLE, "(HTTP 302)"),
        (200, b"welcome", Reason.REGISTRY_UNAVAILABLE, "(HTTP 200): welcome"),
        (200, b"[]", Reason.REGISTRY_UNAVAILABLE, "(HTTP 200): []"),
        (200, b'{"id": "7"}', Reason.REGISTRY_UNAVAILABLE, "an id that is none: '7'"),
        (200, b'{"id": 2147483648}', Reason.REGISTRY_UNAVAILABLE, "an id that is none: 2147483648"),
    ],
)
def test_other_answers_are_told(server: Server, status: int, body: bytes, reason: Reason, said: str) -> None:
    server.status, server.body = status, body
    found = failure(Registry(config.Registry(server.url, None, None)))
    assert found.reason is reason
    assert said in found.message
    assert server.url in found.message


def test_one_that_is_away_is_not_asked_for_each_output(server: Server) -> None:
    now = 0.0
    registry = Registry(config.Registry(server.url, None, None), clock=lambda: now)
    server.status = 503
    assert {failure(registry, topic).reason for topic in "abc"} == {Reason.REGISTRY_UNAVAILABLE}
    assert len(server.asked) == 1
    server.status, now = 200, 60.0
    assert [registry.identify(topic, SCHEMA) for topic in "abc"] == [7, 7, 7]


def test_a_refused_schema_says_nothing_of_the_others(server: Server) -> None:
    registry = Registry(config.Registry(server.url, None, None))
    server.status = 409
    failure(registry, "a")
    server.status = 200
    assert registry.identify("b", SCHEMA) == 7


def test_files_that_are_not_there_are_named(tmp_path: Path) -> None:
    lacking = tmp_path / "lacking"
    settings = (
        config.Registry("https://127.0.0.1:1", lacking, None),
        config.Registry("https://127.0.0.1:1", None, lacking),
    )
    for each in settings:
        found = failure(Registry(each))
        assert found.reason is Reason.REGISTRY_UNAVAILABLE
        assert str(lacking) in found.message


def test_a_schema_is_asked_for_once_by_its_id(server: Server) -> None:
    server.body = json.dumps({"schema": SCHEMA.text}).encode()
    registry = Registry(config.Registry(server.url, None, None))
    assert [registry.schema(7) for _ in range(2)] == [SCHEMA.text] * 2
    assert server.asked == [("/api/schemas/ids/7", None, None)]
    server.status = 404
    assert registry.schema(8) is None, "the message is at fault"
    server.status = 503
    with pytest.raises(OutputError) as caught:
        registry.schema(8)
    assert caught.value.failure.reason is Reason.REGISTRY_UNAVAILABLE
    assert "does not give schema 8 (HTTP 503)" in caught.value.failure.message
