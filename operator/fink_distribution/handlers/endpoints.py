"""What is asked of the process over HTTP: /healthz by the kubelet, /metrics by Prometheus.

They answer from the start, also while the operator waits for the Lease; kopf's own endpoint answers only once its handlers run. A loop
that hangs does not answer, so that it does is all there is to say: Kafka being away is a condition, never a reason to be restarted.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.aiohttp import make_aiohttp_handler

from fink_distribution.settings import Settings

logger = logging.getLogger(__name__)


@asynccontextmanager
async def serve(
    settings: Settings, collectors: CollectorRegistry, is_leader: Callable[[], bool]
) -> AsyncIterator[None]:
    """Answer while the context lasts; raises OSError when a port is taken."""

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"leader": is_leader()})

    runners = []
    try:
        for port, path, handler in (
            (settings.liveness_port, "/healthz", healthz),
            (settings.metrics_port, "/metrics", make_aiohttp_handler(collectors)),
        ):
            if port:
                application = web.Application()
                application.router.add_get(path, handler)
                runners.append(web.AppRunner(application, handle_signals=False, shutdown_timeout=1.0, access_log=None))
                await runners[-1].setup()
                await web.TCPSite(runners[-1], None, port).start()
        yield
    finally:
        for runner in runners:
            await runner.cleanup()
