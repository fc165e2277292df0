"""Writing the progress document, from a thread of its own so that a slow API server never delays a batch."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from distribution_job.failures import one_line
from distribution_job.progress import Progress

LOG = logging.getLogger(__name__)
GROUP, VERSION, PLURAL, KIND = "distribution.fink-broker.org", "v1alpha1", "distributionstreams", "DistributionStream"
FIELD_MANAGER = "fink-distribution-driver"
_REQUEST_SECONDS = (3.0, 7.0)  # to connect, to answer


class Target(Protocol):
    def write(self, document: dict[str, Any]) -> None:
        """Write the document, or raise any Exception."""


class LogTarget:
    """One JSON line in the log."""

    def write(self, document: dict[str, Any]) -> None:
        LOG.info("progress %s", json.dumps(document, separators=(",", ":")))


class KubernetesTarget:
    """`status.progress` of the stream, by server-side apply: the other fields of status belong to the operator."""

    def __init__(self, namespace: str, name: str, api: Any = None) -> None:
        """`api`: a kubernetes CustomObjectsApi; by default one with the pod's own service account."""
        self._namespace = namespace
        self._name = name
        self._api = api

    def write(self, document: dict[str, Any]) -> None:
        if self._api is None:
            from kubernetes import client, config

            config.load_incluster_config()
            self._api = client.CustomObjectsApi()
        self._api.patch_namespaced_custom_object_status(
            GROUP,
            VERSION,
            self._namespace,
            PLURAL,
            self._name,
            {
                "apiVersion": f"{GROUP}/{VERSION}",
                "kind": KIND,
                "metadata": {"name": self._name, "namespace": self._namespace},
                "status": {"progress": document},
            },
            field_manager=FIELD_MANAGER,
            force=True,
            _content_type="application/apply-patch+yaml",
            _request_timeout=_REQUEST_SECONDS,
        )


class ProgressWriter:
    """Writes at most once per `interval` seconds, except that a change of health is written at once."""

    def __init__(
        self, progress: Progress, target: Target, interval: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._progress = progress
        self._target = target
        self._interval = interval
        self._clock = clock
        self._health: object = None
        self._next = float("-inf")
        self._dirty = True
        self._failing = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Write what is unwritten, once, and end; takes no longer than one request."""
        self._stopping.set()
        self._progress.changed.set()
        self._thread.join(sum(_REQUEST_SECONDS) + 1)

    def step(self) -> float:
        """Write if it is time to; the seconds until it may be time again."""
        if self._progress.changed.is_set():
            self._progress.changed.clear()
            self._dirty = True
        now = self._clock()
        health = self._progress.health()
        # While the API server is away a change of health waits too, or a flapping output would flood it.
        at_once = health != self._health and not self._failing
        if self._dirty and (at_once or now >= self._next or self._stopping.is_set()):
            self._dirty = not self._write()
            self._health = health
            self._next = now + self._interval
        return max(0.0, self._next - now)

    def _write(self) -> bool:
        try:
            self._target.write(self._progress.document())
        except Exception as error:  # noqa: BLE001  whatever the client raises, the alerts come first
            if not self._failing:
                LOG.warning("progress cannot be written and is tried again: %s", one_line(str(error), 500))
            self._failing = True
            return False
        if self._failing:
            LOG.info("progress is written again")
        self._failing = False
        return True

    def _run(self) -> None:
        while not self._stopping.is_set():
            pause = self.step()
            # Unwritten: wait out the interval, but be woken by a change, which may be one of health.
            self._progress.changed.wait(pause if self._dirty else None)
        self.step()
