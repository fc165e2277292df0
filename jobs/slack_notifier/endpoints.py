"""What is asked of the notifier over HTTP: /metrics by Prometheus, /readyz and /healthz by the kubelet."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from prometheus_client import make_wsgi_app, start_http_server

from slack_notifier.health import Health
from slack_notifier.metrics import Metrics


class PortError(Exception):
    """The port cannot be opened."""


@contextmanager
def serve(port: int | None, metrics: Metrics, health: Health) -> Iterator[None]:
    """Answer while the context lasts; without a port, nothing.

    Raises
    ------
    PortError
        The port is taken, or may not be opened.
    """
    if port is None:
        yield
        return
    address = "::" if socket.has_dualstack_ipv6() else "0.0.0.0"  # noqa: S104 - the kubelet and Prometheus come from outside
    try:
        server, thread = start_http_server(port, addr=address, registry=metrics.collectors)
    except OSError as error:
        raise PortError(f"metrics.port: {port} cannot be opened ({error}). Give a port that is free.") from error
    server.set_app(_application(metrics, health))
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _application(metrics: Metrics, health: Health) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    of_prometheus = make_wsgi_app(metrics.collectors)

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            found: Iterable[bytes] = of_prometheus(environ, start_response)
            return found
        if path == "/readyz":
            status, text = ("503 Service Unavailable" if health.problems else "200 OK"), "\n".join(health.problems)
        elif path == "/healthz":
            status, text = ("200 OK", "") if health.is_alive else ("503 Service Unavailable", "no round for long")
        else:
            status, text = "404 Not Found", "There are /metrics, /readyz and /healthz."
        start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
        return [f"{text or 'ok'}\n".encode()]

    return answer
