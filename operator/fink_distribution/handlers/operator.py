"""The operator as kopf runs it: kopf watches, and what it sees goes into the registry, which wakes whom it concerns."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import kopf

from fink_distribution.cluster.api import Cluster
from fink_distribution.errors import ReconcileError
from fink_distribution.handlers.storage import NoDiffBase
from fink_distribution.kafka.hooks import Hooks
from fink_distribution.reconcile import census
from fink_distribution.reconcile.connections import Connections
from fink_distribution.reconcile.context import Context
from fink_distribution.reconcile.controller import Controller
from fink_distribution.reconcile.drift import DriftPass
from fink_distribution.reconcile.intents import Intents
from fink_distribution.reconcile.metrics import Metrics
from fink_distribution.reconcile.news import News
from fink_distribution.reconcile.queue import WorkQueue
from fink_distribution.reconcile.registry import Registry
from fink_distribution.resources.keys import GROUP, VERSION, Key, Kind
from fink_distribution.settings import Settings
from fink_distribution.streams import layout

logger = logging.getLogger(__name__)

_CENSUS_SECONDS = 300.0
_CENSUS_RETRY_SECONDS = 5.0
_WATCHES_BEGUN_SECONDS = 15.0


@dataclass(frozen=True)
class Process:
    """What is there before kopf is, and outlives it.

    Attributes
    ----------
    before_write
        Raises a ReconcileError unless this process may write.
    """

    settings: Settings
    registry: Registry
    metrics: Metrics
    before_write: Callable[[], None]


@dataclass
class Operator:
    """What lives as long as kopf does."""

    registry: Registry
    queue: WorkQueue
    stack: AsyncExitStack
    tasks: set[asyncio.Task[None]]


def build(process: Process) -> kopf.OperatorRegistry:
    """Return the handlers of all our kinds."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        # It only reads: all writes are ours, and are asked for by the Lease.
        return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)

    @kopf.on.startup(registry=registry)
    async def start(settings: kopf.OperatorSettings, memo: kopf.Memo, **_: Any) -> None:
        _configure(settings)
        memo.operator = await _start(process)

    @kopf.on.cleanup(registry=registry)
    async def stop(memo: kopf.Memo, **_: Any) -> None:
        operator: Operator = memo.operator
        running = [*operator.tasks]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await operator.queue.close()
        await operator.stack.aclose()

    for kind in Kind:
        _handle(registry, kind)
    for group, plural in (("apps", "statefulsets"), ("apps", "deployments"), ("", "pods")):
        _watch_workload(registry, group, plural)
    return registry


def _handle(registry: kopf.OperatorRegistry, kind: Kind) -> None:
    resource = (GROUP, VERSION, kind.plural)

    # Async: kopf would run others in threads, and the registry belongs to the loop.
    @kopf.on.event(*resource, registry=registry, id="seen")
    async def seen(event: kopf.RawEvent, body: kopf.Body, memo: kopf.Memo, **_: Any) -> None:
        if event["type"] == "DELETED":
            census.forget(memo.operator.registry, dict(body))
        else:
            memo.operator.registry.see(dict(body))


def _watch_workload(registry: kopf.OperatorRegistry, group: str, plural: str) -> None:
    @kopf.on.event(
        group, "v1", plural, registry=registry, id=f"stream-{plural}", labels={layout.STREAM_LABEL: kopf.PRESENT}
    )
    async def changed(labels: kopf.Labels, namespace: str | None, memo: kopf.Memo, **_: Any) -> None:
        key = Key(Kind.DISTRIBUTION_STREAM, namespace or "", labels[layout.STREAM_LABEL])
        memo.operator.registry.wake(key)


def _configure(settings: kopf.OperatorSettings) -> None:
    # kopf only watches. It would take its own finalizer off what it has no handler for, so ours must not be the one that it knows.
    settings.persistence.finalizer = f"{GROUP}/unused"
    settings.persistence.diffbase_storage = NoDiffBase()
    settings.posting.enabled = False
    # Listing namespaces and CRDs again and again needs rights in the whole cluster.
    settings.scanning.disabled = True
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 30
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 310
    settings.watching.connect_timeout = 30
    settings.execution.max_workers = 2


async def _start(process: Process) -> Operator:
    settings, registry = process.settings, process.registry
    stack = AsyncExitStack()
    timeout = settings.kubernetes_timeout_seconds
    cluster = await stack.enter_async_context(Cluster.connect(timeout, before_write=process.before_write))
    hooks = Hooks(process.before_write, process.metrics.kafka_call)
    connections = Connections(settings, cluster, registry, hooks)
    calm = asyncio.Event()
    calm.set()
    context = Context(
        settings,
        cluster,
        registry,
        connections,
        Intents(cluster, settings.namespace),
        News(cluster, calm),
        process.metrics,
        calm,
    )
    queue = WorkQueue(Controller(context).turn, settings.workers, calm)
    registry.on_wake = queue.add
    process.metrics.queue_depth = lambda: queue.depth
    context.background.add(asyncio.create_task(context.news.run()))
    context.background.add(asyncio.create_task(_know(context, queue)))
    drift = _watch_drift(DriftPass(context), settings.drift_interval_seconds)
    context.background.add(asyncio.create_task(drift))
    return Operator(registry, queue, stack, context.background)


async def _know(context: Context, queue: WorkQueue) -> None:
    """Let the work begin once all resources are known, and from then on find those that went without a word.

    kopf's indices would be complete before its handlers run, too, but each object that it lists wakes all that wait for the others:
    the time goes with the square of their number, a minute for 3,000.
    """
    while not await _take_census(context):  # noqa: ASYNC110 - there is nobody who could set an event
        await asyncio.sleep(_CENSUS_RETRY_SECONDS)
    queue.open()
    # The watches begin meanwhile, and of what goes in between they do not tell.
    await asyncio.sleep(_WATCHES_BEGUN_SECONDS)
    while True:
        await _take_census(context)
        await asyncio.sleep(_CENSUS_SECONDS)


async def _take_census(context: Context) -> bool:
    try:
        await census.take(context.cluster, context.registry, context.settings.namespaces)
    except ReconcileError as error:
        logger.warning("the resources cannot be listed: %s", error)
        return False
    except Exception:
        logger.exception("the resources cannot be listed: unexpected error")
        return False
    return True


async def _watch_drift(drift: DriftPass, interval_seconds: float) -> None:
    while True:
        await asyncio.sleep(interval_seconds)
        try:
            await drift.run()
        except Exception:
            logger.exception("drift pass: unexpected error; the next one comes in %s s", interval_seconds)
