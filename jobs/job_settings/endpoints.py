"""The port that an application answers at over HTTP: /metrics for Prometheus, and what Kubernetes asks for besides."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from prometheus_client import CollectorRegistry, make_wsgi_app, start_http_server

Probe = Callable[[], str | None]
"""Says what is wrong, None when nothing is."""


class PortError(Exception):
    """The port cannot be opened."""


@contextmanager
def serve(port: int | None, collectors: CollectorRegistry, probes: Mapping[str, Probe] | None = None) -> Iterator[None]:
    """Answer while the context lasts, each request in a thread of its own; without a port, nothing.

    Parameters
    ----------
    collectors
        What /metrics shows.
    probes
        By path, what answers 200 when nothing is wrong, else 503 and what is.

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
        server, thread = start_http_server(port, addr=address, registry=collectors)
    except OSError as error:
        raise PortError(f"metrics.port: {port} cannot be opened ({error}). Give a port that is free.") from error
    server.set_app(_application(collectors, probes or {}))
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _application(
    collectors: CollectorRegistry, probes: Mapping[str, Probe]
) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    of_prometheus = make_wsgi_app(collectors)
    *most, last = ["/metrics", *probes]
    known = f"{', '.join(most)} and {last}" if most else last

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/metrics":
            found: Iterable[bytes] = of_prometheus(environ, start_response)
            return found
        if path in probes:
            wrong = probes[path]()
            status, text = ("200 OK", "ok") if wrong is None else ("503 Service Unavailable", wrong)
        else:
            status, text = "404 Not Found", f"Answered here: {known}."
        start_response(status, [("Content-Type", "text/plain; charset=utf-8")])
        return [f"{text}\n".encode()]

    return answer
