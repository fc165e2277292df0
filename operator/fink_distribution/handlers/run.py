"""Starting kopf, once this process may write."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NoReturn, cast

import kopf
import uvloop

from fink_distribution.cluster.api import Cluster
from fink_distribution.cluster.lease import Lease, Timing, own_identity
from fink_distribution.handlers.endpoints import serve
from fink_distribution.handlers.operator import Process, build
from fink_distribution.reconcile.metrics import Metrics
from fink_distribution.reconcile.registry import Registry
from fink_distribution.settings import Settings

logger = logging.getLogger(__name__)

STOPPED = 0
LEASE_LOST = 3
PORT_TAKEN = 4

_LEAVE_WITHIN_SECONDS = 15.0


def run(settings: Settings) -> int:
    """Run the operator until it is told to stop (SIGTERM, SIGINT) or another operator has taken its Lease.

    Returns
    -------
    int
        The exit status: 0 stopped, 3 the Lease was lost, 4 a port is taken.
    """
    formatter = kopf.LogFormat.JSON if settings.log_format == "json" else kopf.LogFormat.FULL
    # kopf's own DEBUG prints whole objects; ours never holds a secret, but it is not worth the noise.
    kopf.configure(log_format=formatter)
    logging.getLogger().setLevel(settings.log_level)
    logging.getLogger("kopf").setLevel(max(logging.WARNING, logging.getLevelName(settings.log_level)))
    logging.getLogger("kopf.objects").addFilter(_is_news)
    try:
        return uvloop.run(_run(settings))
    except OSError as error:
        logger.error("cannot listen: %s. Set FINK_LIVENESS_PORT and FINK_METRICS_PORT to free ports, or to 0.", error)
        return PORT_TAKEN


async def _run(settings: Settings) -> int:
    registry = Registry(settings.namespace)
    async with _lease(settings) as lease:

        def is_leader() -> bool:
            return lease is None or lease.is_held

        metrics = Metrics(registry, is_leader)
        before_write = (lambda: None) if lease is None else lease.check
        async with serve(settings, metrics.collectors, is_leader):
            return await _operate(Process(settings, registry, metrics, before_write), lease)


@asynccontextmanager
async def _lease(settings: Settings) -> AsyncIterator[Lease | None]:
    """Return the Lease that decides, or None when there is none; it is not held yet."""
    timing = Timing(
        settings.lease_duration_seconds, settings.lease_renew_deadline_seconds, settings.lease_retry_seconds
    )
    if not timing.duration:
        yield None
        return
    # Two renewals fit in before the deadline, so that one that hangs is not the last.
    async with Cluster.connect(timing.renew_deadline / 2) as cluster:
        yield Lease(cluster, settings.namespace, own_identity(settings.identity), timing)


async def _operate(process: Process, lease: Lease | None) -> int:
    """Wait for the Lease, run kopf while it is held, release it."""
    if lease is None:
        await _kopf(process, asyncio.Event())
        return STOPPED
    if not await _acquired(lease):
        return STOPPED
    lost = asyncio.Event()
    # Begun before kopf, which ends all tasks that are begun after it.
    keeping = asyncio.create_task(_keep(lease, lost))
    try:
        await _kopf(process, lost)
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
        await lease.release()
    return LEASE_LOST if lost.is_set() else STOPPED


async def _acquired(lease: Lease) -> bool:
    """Wait for the Lease; False when the process is told to stop before."""
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        # kopf puts its own in their place.
        loop.add_signal_handler(number, stop.set)
    tasks = [asyncio.create_task(stop.wait()), asyncio.create_task(lease.acquire())]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if stop.is_set():
        await lease.release()
        return False
    return True


async def _keep(lease: Lease, lost: asyncio.Event) -> None:
    try:
        await lease.keep()
    except Exception:
        logger.exception("%s: unexpected error", lease)
    lost.set()
    leave_within(_LEAVE_WITHIN_SECONDS, LEASE_LOST)


def leave_within(seconds: float, status: int) -> None:
    """End the process after so long at the latest, whatever still runs in it.

    As client-go's leader election does at once: who lost the Lease must not be found half alive.
    """

    def give_up() -> None:
        logger.error("not ended within %s s; leaving what still runs", seconds)
        leave(status)

    timer = threading.Timer(seconds, give_up)
    timer.daemon = True
    timer.start()


def leave(status: int) -> NoReturn:
    """End the process without waiting for Kafka clients: a late answer of a broker can hold up Python's own way out for ever."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


async def _kopf(process: Process, stop: asyncio.Event) -> None:
    namespaces = process.settings.namespaces
    await kopf.operator(
        registry=build(process),
        memo=kopf.Memo(),
        namespaces=namespaces,
        clusterwide=not namespaces,
        standalone=True,
        # kopf would ask for the user's name, which a bare numeric user of a container does not have.
        identity=cast("Any", "fink-distribution"),
        stop_flag=stop,
    )


def _is_news(record: logging.LogRecord) -> bool:
    """Leave out that a deletion is tried again: its status says so already, with the reason."""
    return "failed temporarily" not in str(record.msg)
