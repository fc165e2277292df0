"""Events, written behind the work: a burst of a thousand resources becomes Ready first and is told of then."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from fink_distribution.cluster import events
from fink_distribution.cluster.api import AlreadyExists, Cluster, Gone
from fink_distribution.errors import ReconcileError
from fink_distribution.resources.keys import Body, Key

logger = logging.getLogger(__name__)

_MOST_WAITING = 10_000
_PAUSE_SECONDS = 0.02
_LONGEST_DELAY_SECONDS = 120.0

Told = tuple[float, Body, str, str, str, str]


class News:
    """Writes Events one after the other.

    They are for people, so they may be late; and beyond a number that nobody would read they are left out, which the log says.

    Parameters
    ----------
    calm
        Not set while many resources wait for the API server; then Events wait as well, up to two minutes.
    """

    def __init__(self, cluster: Cluster, calm: asyncio.Event) -> None:
        self._cluster = cluster
        self._calm = calm
        self._waiting: asyncio.Queue[Told] = asyncio.Queue(_MOST_WAITING)

    def tell(self, about: Body, kind: str, reason: str, message: str, now: str) -> None:
        """Have an Event written."""
        try:
            deadline = asyncio.get_running_loop().time() + _LONGEST_DELAY_SECONDS
            self._waiting.put_nowait((deadline, about, kind, reason, message, now))
        except asyncio.QueueFull:
            logger.warning("%s: too many Events wait; left out: %s: %s", Key.of(about), reason, message)

    async def run(self) -> None:
        """Write for ever."""
        while True:
            deadline, about, kind, reason, message, now = await self._waiting.get()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(deadline):
                    await self._calm.wait()
            try:
                await events.record(self._cluster, about, kind, reason, message, now)
            except (ReconcileError, Gone, AlreadyExists) as error:
                logger.warning("%s: Event %s not written: %s", Key.of(about), reason, error)
            # A small pause after each leaves the API server to those who wait for their resource.
            await asyncio.sleep(_PAUSE_SECONDS)
