"""A server that speaks as much of Slack's protocol as the project uses, faults included; slack_sdk talks to it as it is."""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

TOKEN = "xoxb-1234-5678-verysecret"
RATE_LIMITED = 429


@dataclass(frozen=True)
class Message:
    """What was posted; `channel` is the name with #, or the person's real name."""

    channel: str
    text: str
    blocks: list[dict[str, Any]]
    thread_ts: str | None
    ts: str


@dataclass(frozen=True)
class Fault:
    """How one call fails: an HTTP status, Slack's word for an error, or no answer at all (after the work is done, if `accepted`)."""

    status: int = 200
    error: str = ""
    retry_after: int | None = None
    disconnect: bool = False
    accepted: bool = False


@dataclass
class SlackServer:
    """Channels and people by id; `faults` are used up one by one, `standing` stay until they are removed."""

    channels: dict[str, dict[str, Any]] = field(default_factory=dict)
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    page: int = 2
    scopes: set[str] = field(default_factory=lambda: {"groups:read"})
    longest: int = 40_000
    rate_clock: Callable[[], float] | None = None
    messages: list[Message] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    faults: dict[str, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    standing: dict[str, Fault] = field(default_factory=dict)
    refused_for_rate: int = 0
    url: str = ""
    _posted_at: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def channel(self, name: str, **properties: Any) -> str:
        """Make a channel: `is_archived=True`, `is_private=True`, `closed=True` for one that the app is not in."""
        identity = f"C{len(self.channels):04d}"
        self.channels[identity] = {"id": identity, "name": name, **properties}
        return identity

    def person(self, real_name: str, display_name: str = "", **properties: Any) -> str:
        """Make a person: `deleted=True`, `is_bot=True`."""
        identity = f"U{len(self.people):04d}"
        profile = {"real_name": real_name, "display_name": display_name}
        self.people[identity] = {"id": identity, "real_name": real_name, "profile": profile, **properties}
        return identity

    def texts(self, channel: str) -> list[str]:
        """What was posted to one channel or person."""
        return [message.text for message in self.messages if message.channel == channel]

    def answer(self, method: str, token: str, params: dict[str, Any]) -> tuple[int, dict[str, str], bytes] | None:
        """Status, headers and body; None for a connection that ends."""
        with self._lock:
            self.calls[method] += 1
            fault = self.faults[method].pop(0) if self.faults[method] else self.standing.get(method)
            if fault is not None and not fault.accepted:
                return _faulty(fault)
            body = {"ok": False, "error": "invalid_auth"} if token != TOKEN else self._do(method, params)
            if fault is not None:
                return None
            if body.get("error") == "ratelimited":
                return _faulty(Fault(RATE_LIMITED, retry_after=1))
            return 200, {}, json.dumps(body).encode()

    def _do(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        if method == "auth.test":
            return {"ok": True, "user": "fink"}
        if method == "conversations.list":
            if "private_channel" in params["types"] and "groups:read" not in self.scopes:
                return {"ok": False, "error": "missing_scope", "needed": "groups:read"}
            return self._paged(
                "channels", [one for one in self.channels.values() if not one.get("is_archived")], params
            )
        if method == "users.list":
            return self._paged("members", list(self.people.values()), params)
        if method == "chat.postMessage":
            return self._post(params)
        return {"ok": False, "error": "unknown_method"}

    def _paged(self, name: str, found: list[Any], params: dict[str, Any]) -> dict[str, Any]:
        start = int(params.get("cursor") or 0)
        following = str(start + self.page) if start + self.page < len(found) else ""
        return {"ok": True, name: found[start : start + self.page], "response_metadata": {"next_cursor": following}}

    def _post(self, params: dict[str, Any]) -> dict[str, Any]:
        identity = params["channel"]
        channel = self.channels.get(identity, {})
        blocks = params.get("blocks") or []
        blocks = json.loads(blocks) if isinstance(blocks, str) else blocks
        error = ""
        if identity not in self.channels and identity not in self.people:
            error = "channel_not_found"
        elif channel.get("is_archived"):
            error = "is_archived"
        elif channel.get("closed"):
            error = "not_in_channel"
        elif len(params["text"]) > self.longest:
            error = "msg_too_long"
        elif len(json.dumps(blocks)) > self.longest:
            error = "msg_blocks_too_long"
        elif not _fits(blocks):
            error = "invalid_blocks"
        elif self._too_soon(identity):
            error = "ratelimited"
        if error:
            return {"ok": False, "error": error}
        name = f"#{channel['name']}" if channel else self.people[identity]["real_name"]
        ts = f"{len(self.messages) + 1}.000100"
        self.messages.append(Message(name, params["text"], blocks, params.get("thread_ts"), ts))
        return {"ok": True, "channel": identity, "ts": ts}

    def _too_soon(self, identity: str) -> bool:
        if self.rate_clock is None:
            return False
        now = self.rate_clock()
        soon = now - self._posted_at.get(identity, float("-inf")) < 1
        if soon:
            self.refused_for_rate += 1
        else:
            self._posted_at[identity] = now
        return soon


def _fits(blocks: list[dict[str, Any]]) -> bool:
    """Whether Slack's documented limits hold: 50 blocks, 3000 characters in a text, 150 in a header."""
    lengths = [(block["type"], len(part["text"])) for block in blocks for part in _texts(block)]
    return len(blocks) <= 50 and all(0 < length <= (150 if kind == "header" else 3000) for kind, length in lengths)


def _texts(block: dict[str, Any]) -> list[dict[str, Any]]:
    return [block["text"]] if "text" in block else block.get("elements", [])


def _faulty(fault: Fault) -> tuple[int, dict[str, str], bytes] | None:
    if fault.disconnect:
        return None
    headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
    if fault.error:
        return fault.status, headers, json.dumps({"ok": False, "error": fault.error}).encode()
    return fault.status, headers, b"<html>something is wrong</html>"


@contextmanager
def slack_server(host: str = "127.0.0.1", **settings: Any) -> Iterator[SlackServer]:
    """Run one at an address of this machine, on a free port."""
    slack = SlackServer(**settings)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            is_json = "json" in self.headers.get("Content-Type", "")
            params = json.loads(body or "{}") if is_json else dict(parse_qsl(body))
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            answer = slack.answer(self.path.removeprefix("/api/"), token, params)
            if answer is None:
                self.close_connection = True
                return
            status, headers, content = answer
            self.send_response(status)
            for name, value in {
                **headers,
                "Content-Length": str(len(content)),
                "Content-Type": "application/json",
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer((host, 0), Handler)
    slack.url = f"http://{host}:{server.server_port}/api/"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield slack
    finally:
        server.shutdown()
        server.server_close()
