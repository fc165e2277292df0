"""The operator as kopf runs it: one daemon an object, which waits until it is woken."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import aiohttp
import kopf

from fink_distribution.cluster.api import Cluster
from fink_distribution.errors import ReconcileError, Waiting
from fink_distribution.handlers.storage import NoDiffBase
from fink_distribution.kafka.hooks import Hooks
from fink_distribution.reconcile.connections import Connections
from fink_distribution.reconcile.context import Context
from fink_distribution.reconcile.controller import Controller
from fink_distribution.reconcile.drift import DriftPass
from fink_distribution.reconcile.metrics import Metrics
from fink_distribution.reconcile.registry import Registry
from fink_distribution.resources.keys import FINALIZER, GROUP, VERSION, Key, Kind
from fink_distribution.settings import Settings
from fink_distribution.streams import layout

logger = logging.getLogger(__name__)


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
    controller: Controller
    stack: AsyncExitStack
    tasks: list[asyncio.Task[None]]


def build(process: Process) -> kopf.OperatorRegistry:
    """Return the handlers of all our kinds."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    async def login(**kwargs: Any) -> kopf.AiohttpSession | None:
        found = kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)
        return None if found is None else _fenced(found, process.before_write)

    @kopf.on.startup(registry=registry)
    async def start(settings: kopf.OperatorSettings, memo: kopf.Memo, **_: Any) -> None:
        _configure(settings)
        memo.operator = await _start(process)

    @kopf.on.cleanup(registry=registry)
    async def stop(memo: kopf.Memo, **_: Any) -> None:
        operator: Operator = memo.operator
        for task in operator.tasks:
            task.cancel()
        await asyncio.gather(*operator.tasks, return_exceptions=True)
        await operator.stack.aclose()

    for kind in Kind:
        _handle(registry, kind)
    for group, plural in (("apps", "statefulsets"), ("", "pods")):
        _watch_workload(registry, group, plural)
    return registry


def _handle(registry: kopf.OperatorRegistry, kind: Kind) -> None:
    resource = (GROUP, VERSION, kind.plural)

    # Indices are complete before any other handler runs: no resource is judged before its rivals are known.
    @kopf.index(*resource, registry=registry, id=f"known-{kind.plural}")
    def known(body: kopf.Body, memo: kopf.Memo, **_: Any) -> None:
        memo.operator.registry.see(dict(body))

    @kopf.on.event(*resource, registry=registry, id="seen")
    def seen(event: kopf.RawEvent, body: kopf.Body, memo: kopf.Memo, **_: Any) -> None:
        if event["type"] == "DELETED":
            memo.operator.registry.forget(dict(body))
        else:
            memo.operator.registry.see(dict(body))

    @kopf.daemon(*resource, registry=registry, id="reconcile", cancellation_timeout=5)
    async def keep(body: kopf.Body, memo: kopf.Memo, stopped: kopf.DaemonStopped, **_: Any) -> None:
        operator: Operator = memo.operator
        key = Key.of(body)
        while not stopped:
            item = operator.registry.item(key)
            if item is None:
                return
            item.wake.clear()
            again = await operator.controller.reconcile(key)
            await _first(stopped.wait(), item.wake.wait(), again)

    @kopf.on.delete(*resource, registry=registry, id="release")
    async def release(body: kopf.Body, memo: kopf.Memo, **_: Any) -> None:
        try:
            await memo.operator.controller.release(dict(body))
        except Waiting as error:
            raise kopf.TemporaryError(error.message, delay=error.retry_seconds or 2.0) from error


def _watch_workload(registry: kopf.OperatorRegistry, group: str, plural: str) -> None:
    @kopf.on.event(
        group, "v1", plural, registry=registry, id=f"stream-{plural}", labels={layout.STREAM_LABEL: kopf.PRESENT}
    )
    def changed(labels: kopf.Labels, namespace: str | None, memo: kopf.Memo, **_: Any) -> None:
        key = Key(Kind.DISTRIBUTION_STREAM, namespace or "", labels[layout.STREAM_LABEL])
        memo.operator.registry.wake(key)


async def _first(stopped: Any, woken: Any, seconds: float | None) -> None:
    tasks = [asyncio.ensure_future(stopped), asyncio.ensure_future(woken)]
    try:
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _configure(settings: kopf.OperatorSettings) -> None:
    settings.persistence.finalizer = FINALIZER
    settings.persistence.diffbase_storage = NoDiffBase()
    # Only deletions keep notes: how often they were tried.
    settings.persistence.progress_storage = kopf.AnnotationsProgressStorage(prefix=GROUP)
    settings.posting.enabled = False
    # Listing namespaces and CRDs again and again needs rights in the whole cluster.
    settings.scanning.disabled = True
    settings.networking.request_timeout = 30
    settings.networking.connect_timeout = 30
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 310
    settings.watching.connect_timeout = 30
    settings.execution.max_workers = 2


def _fenced(info: kopf.ConnectionInfo, before_write: Callable[[], None]) -> kopf.AiohttpSession:
    """Return a session in which kopf's own writes, finalizers and notes on deletions, are asked for as ours are."""

    async def fence(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        if request.method != "GET":
            try:
                before_write()
            except ReconcileError as error:
                # For kopf as if the API server were away: it tries again later.
                raise aiohttp.ClientConnectionError(error.message) from None
        return await handler(request)

    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=info.as_ssl_context()),
        headers=info.as_http_headers(),
        proxy=info.proxy_url,
        trust_env=info.trust_env,
        middlewares=(fence,),
    )
    return kopf.AiohttpSession(
        server=info.server,
        priority=info.priority,
        default_namespace=info.default_namespace,
        expiration=info.expiration,
        aiohttp_session=session,
    )


async def _start(process: Process) -> Operator:
    settings, registry = process.settings, process.registry
    stack = AsyncExitStack()
    timeout = settings.kubernetes_timeout_seconds
    cluster = await stack.enter_async_context(Cluster.connect(timeout, before_write=process.before_write))
    hooks = Hooks(process.before_write, process.metrics.kafka_call)
    context = Context(settings, cluster, registry, Connections(settings, cluster, registry, hooks), process.metrics)
    operator = Operator(registry, Controller(context), stack, [])
    operator.tasks.append(asyncio.create_task(_watch_drift(DriftPass(context), settings.drift_interval_seconds)))
    return operator


async def _watch_drift(drift: DriftPass, interval_seconds: float) -> None:
    while True:
        await asyncio.sleep(interval_seconds)
        try:
            await drift.run()
        except Exception:
            logger.exception("drift pass: unexpected error; the next one comes in %s s", interval_seconds)
