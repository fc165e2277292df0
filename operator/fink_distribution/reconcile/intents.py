"""What is about to be made in Kafka, written down before it is made.

Kafka cannot say who made a topic or a binding. So, after a crash between making it and writing the ledger, only a note from before
tells ours from one that a person made. A note for each resource would be a write for each; here those of many resources are
gathered into one write of one ConfigMap (a group commit, as databases do it for their log).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from fink_distribution.cluster.api import Cluster
from fink_distribution.resources.keys import Body

NAME = "fink-distribution-intents"

_LINGER_SECONDS = 0.005
_TIDY_SECONDS = 5.0
_KEY = "intents.json"
# A ConfigMap has room for 1 MiB.
_LONGEST_NOTE = 3000
_MOST_NOTES = 300


class Intents:
    """The open notes of this operator, by the uid of the resource.

    Parameters
    ----------
    namespace
        The operator's own, where the ConfigMap is.
    """

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._notes: dict[str, Mapping[str, Any]] = {}
        self._loaded = False
        self._lock = asyncio.Lock()
        self._flush: asyncio.Future[None] | None = None
        self._writers: set[asyncio.Task[None]] = set()
        self._tidy: asyncio.TimerHandle | None = None
        self._written: dict[str, Mapping[str, Any]] = {}

    async def of(self, body: Body) -> Mapping[str, Any] | None:
        """Return what a resource was about to make when it was last looked at, or None."""
        await self._load()
        return self._notes.get(body["metadata"]["uid"])

    async def record(self, body: Body, note: Mapping[str, Any]) -> bool:
        """Write down what is about to be made, and return when it stands in the cluster.

        Returns
        -------
        bool
            False when the note is too long to stand among many others; nothing has been written then.

        Raises
        ------
        Waiting, Stalled
            It cannot be written, so nothing may be made.
        """
        await self._load()
        uid = body["metadata"]["uid"]
        if self._written.get(uid) == note:
            return True
        if len(json.dumps(note)) > _LONGEST_NOTE or len(self._notes) >= _MOST_NOTES:
            return False
        self._notes[uid] = note
        await asyncio.shield(self._next_write())
        return True

    def close(self, body: Body) -> None:
        """Forget a note, because the resource's own status holds it now. It leaves the ConfigMap with the next write."""
        if self._notes.pop(body["metadata"]["uid"], None) is None:
            return
        if self._tidy is not None:
            self._tidy.cancel()
        self._tidy = asyncio.get_running_loop().call_later(_TIDY_SECONDS, self._tidy_up)

    def _tidy_up(self) -> None:
        self._tidy = None
        # Nobody waits for it: what it cannot remove now goes with the next write.
        self._next_write()

    def _next_write(self) -> asyncio.Future[None]:
        if self._flush is None:
            self._flush = asyncio.get_running_loop().create_future()
            task = asyncio.create_task(self._write_soon(self._flush))
            self._writers.add(task)
            task.add_done_callback(self._writers.discard)
        return self._flush

    async def _write_soon(self, done: asyncio.Future[None]) -> None:
        """Write, and tell those who wait; the task itself never fails, or kopf would end with its error."""
        try:
            await asyncio.sleep(_LINGER_SECONDS)
            await self._write(done)
            done.set_result(None)
        except BaseException as error:  # noqa: BLE001 - it is for those who wait
            done.set_exception(error)
            # It may be that nobody does.
            done.exception()

    async def _write(self, done: asyncio.Future[None]) -> None:
        async with self._lock:
            # What is added from here on waits for the next write.
            if self._flush is done:
                self._flush = None
            notes = dict(self._notes)
            await self._cluster.apply(
                {
                    "apiVersion": "v1",
                    "kind": "ConfigMap",
                    "metadata": {
                        "name": NAME,
                        "namespace": self._namespace,
                        "labels": {"app.kubernetes.io/managed-by": "fink-distribution"},
                    },
                    "data": {_KEY: json.dumps(notes, sort_keys=True)},
                }
            )
            self._written = notes

    async def _load(self) -> None:
        if self._loaded:
            return
        async with self._lock:
            if not self._loaded:
                found = await self._cluster.get("v1", "ConfigMap", self._namespace, NAME)
                self._notes = json.loads(((found or {}).get("data") or {}).get(_KEY, "{}"))
                self._written = dict(self._notes)
                self._loaded = True
