"""Whose turn it is: keys, first come first served, each worked on by one at a time."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from fink_distribution.resources.keys import Key

logger = logging.getLogger(__name__)

_UNEXPECTED_RETRY_SECONDS = 30.0
_BUSY_FROM = 16


class WorkQueue:
    """Gives each woken key its turn.

    It holds keys, not events: a key that is woken again while it waits stays where it is in the line, and one that is woken while it
    is worked on gets one more turn. So a burst of any size needs no more room than there are resources, nothing is dropped, and each
    turn sees the newest state.

    Parameters
    ----------
    work
        One turn; it returns after how many seconds the key wants another, None for only when woken.
    limit
        How many are worked on at once.
    calm
        Is kept set unless many keys wait or are worked on, as in a burst.
    """

    def __init__(
        self, work: Callable[[Key], Awaitable[float | None]], limit: int, calm: asyncio.Event | None = None
    ) -> None:
        self._work = work
        self._limit = limit
        self._calm = calm or asyncio.Event()
        self._open = False
        self._waiting: dict[Key, None] = {}
        self._running: dict[Key, float] = {}
        self._once_more: set[Key] = set()
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def add(self, key: Key) -> None:
        """Have a key worked on, now or as soon as its running turn ends."""
        if timer := self._timers.pop(key, None):
            timer.cancel()
        if key in self._running:
            self._once_more.add(key)
        else:
            self._waiting.setdefault(key)
            self._pump()

    def discard(self, key: Key) -> None:
        """Forget a key that is gone; a running turn ends by itself."""
        if timer := self._timers.pop(key, None):
            timer.cancel()
        self._waiting.pop(key, None)
        self._once_more.discard(key)

    def open(self) -> None:
        """Begin: what was added before waits until then, so that nothing is judged before all are known."""
        self._open = True
        self._pump()

    async def close(self) -> None:
        """End the running turns; no more begin."""
        self._open = False
        for timer in self._timers.values():
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def depth(self) -> int:
        """How many keys wait for their turn."""
        return len(self._waiting)

    @property
    def oldest_turn_seconds(self) -> float:
        """For how long the longest of the running turns has been going on."""
        return time.monotonic() - min(self._running.values()) if self._running else 0.0

    def _pump(self) -> None:
        if len(self._waiting) + len(self._running) < _BUSY_FROM:
            self._calm.set()
        else:
            self._calm.clear()
        while self._open and self._waiting and len(self._running) < self._limit:
            key = next(iter(self._waiting))
            del self._waiting[key]
            self._running[key] = time.monotonic()
            task = asyncio.create_task(self._turn(key))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _turn(self, key: Key) -> None:
        again: float | None = _UNEXPECTED_RETRY_SECONDS
        try:
            again = await self._work(key)
        except Exception:
            logger.exception("%s: unexpected error; it is tried again in %s s", key, _UNEXPECTED_RETRY_SECONDS)
        finally:
            del self._running[key]
            if key in self._once_more:
                self._once_more.discard(key)
                self._waiting.setdefault(key)
            elif again is not None and self._open:
                self._timers[key] = asyncio.get_running_loop().call_later(again, self.add, key)
            self._pump()
