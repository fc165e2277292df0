"""The operator as kopf runs it: one daemon an object, which waits until it is woken."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import kopf

from fink_distribution.cluster.api import Cluster
from fink_distribution.errors import Waiting
from fink_distribution.handlers.storage import NoDiffBase
from fink_distribution.reconcile.connections import Connections
from fink_distribution.reconcile.context import Context
from fink_distribution.reconcile.controller import Controller
from fink_distribution.reconcile.drift import DriftPass
from fink_distribution.reconcile.registry import Registry
from fink_distribution.resources.keys import FINALIZER, GROUP, VERSION, Key, Kind
from fink_distribution.settings import Settings
from fink_distribution.streams import layout

logger = logging.getLogger(__name__)

_HEARTBEAT_SECONDS = 5.0
_HEARTBEAT_LIMIT_SECONDS = 60.0


@dataclass
class Operator:
    """What lives as long as the process."""

    settings: Settings
    registry: Registry
    controller: Controller
    stack: AsyncExitStack
    tasks: list[asyncio.Task[None]]
    heartbeat: float


def build(settings: Settings) -> kopf.OperatorRegistry:
    """Return the handlers of all our kinds."""
    registry = kopf.OperatorRegistry()

    @kopf.on.login(registry=registry)
    def login(**kwargs: Any) -> kopf.ConnectionInfo | None:
        return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)

    @kopf.on.startup(registry=registry)
    async def start(settings: kopf.OperatorSettings, memo: kopf.Memo, **_: Any) -> None:
        _configure(settings)
        memo.operator = await _start(memo.settings)

    @kopf.on.cleanup(registry=registry)
    async def stop(memo: kopf.Memo, **_: Any) -> None:
        operator: Operator = memo.operator
        for task in operator.tasks:
            task.cancel()
        await asyncio.gather(*operator.tasks, return_exceptions=True)
        await operator.stack.aclose()

    @kopf.on.probe(registry=registry, id="secondsSinceHeartbeat", errors=kopf.ErrorsMode.PERMANENT)
    def alive(memo: kopf.Memo, **_: Any) -> int:
        # The heartbeat is of our own loop: Kafka being away is a condition, never a reason to be restarted.
        silent = int(time.monotonic() - memo.operator.heartbeat)
        if silent > _HEARTBEAT_LIMIT_SECONDS:
            raise kopf.PermanentError(f"no heartbeat for {silent} s")
        return silent

    for kind in Kind:
        _handle(registry, kind)
    for group, plural in (("apps", "statefulsets"), ("", "pods")):
        _watch_workload(registry, group, plural)
    return registry


def _handle(registry: kopf.OperatorRegistry, kind: Kind) -> None:
    resource = (GROUP, VERSION, kind.plural)

    # Indices are complete before any other handler runs: no resource is judged before its rivals are known.
    # All are coroutines, since kopf runs plain functions in threads, where the registry would change while it is read.
    @kopf.index(*resource, registry=registry, id=f"known-{kind.plural}")
    async def known(body: kopf.Body, memo: kopf.Memo, **_: Any) -> None:
        memo.operator.registry.see(dict(body))

    @kopf.on.event(*resource, registry=registry, id="seen")
    async def seen(event: kopf.RawEvent, body: kopf.Body, memo: kopf.Memo, **_: Any) -> None:
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
    async def changed(labels: kopf.Labels, namespace: str | None, memo: kopf.Memo, **_: Any) -> None:
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


async def _start(settings: Settings) -> Operator:
    stack = AsyncExitStack()
    cluster = await stack.enter_async_context(Cluster.connect(settings.kubernetes_timeout_seconds))
    registry = Registry(settings.namespace)
    context = Context(settings, cluster, registry, Connections(settings, cluster, registry))
    operator = Operator(settings, registry, Controller(context), stack, [], time.monotonic())
    operator.tasks.append(asyncio.create_task(_beat(operator)))
    operator.tasks.append(asyncio.create_task(_watch_drift(DriftPass(context), settings.drift_interval_seconds)))
    return operator


async def _beat(operator: Operator) -> None:
    while True:
        operator.heartbeat = time.monotonic()
        await asyncio.sleep(_HEARTBEAT_SECONDS)


async def _watch_drift(drift: DriftPass, interval_seconds: float) -> None:
    while True:
        await asyncio.sleep(interval_seconds)
        try:
            await drift.run()
        except Exception:
            logger.exception("drift pass: unexpected error; the next one comes in %s s", interval_seconds)
