"""Many callers, one request: calls that come within a few milliseconds go to the broker together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping
from typing import Generic, TypeVar

Name = TypeVar("Name", bound=Hashable)
Item = TypeVar("Item")
Answer = TypeVar("Answer")

LINGER_SECONDS = 0.01
MAXIMUM = 200
AT_ONCE = 2


class Gather(Generic[Name, Item, Answer]):
    """Collects items for a moment and answers each from one request.

    Items are sent in the order in which they came. An item that fails does so alone: the request's answer holds the exception as its
    value, and its neighbours get theirs. Callers that ask under the same name share the answer, and the newest of their items is sent.

    Parameters
    ----------
    request
        Makes the request: name -> item gives name -> answer, or the exception that is to be raised for it. What it raises itself is
        raised for all of them.
    linger_seconds, maximum
        How long the first item waits for others, and how many go into one request.
    at_once
        How many requests are under way at the same time; the others wait, which makes the next one larger.
    """

    def __init__(
        self,
        request: Callable[[Mapping[Name, Item]], Awaitable[Mapping[Name, Answer | BaseException]]],
        linger_seconds: float = LINGER_SECONDS,
        maximum: int = MAXIMUM,
        at_once: int = AT_ONCE,
    ) -> None:
        self._request = request
        self._linger = linger_seconds
        self._maximum = maximum
        self._at_once = asyncio.Semaphore(at_once)
        self._waiting: dict[Name, tuple[Item, asyncio.Future[Answer]]] = {}
        self._sender: asyncio.Task[None] | None = None
        self._sending: set[asyncio.Task[None]] = set()

    async def __call__(self, name: Name, item: Item) -> Answer:
        """Have an item answered by the next request."""
        known = self._waiting.get(name)
        future = known[1] if known is not None else asyncio.get_running_loop().create_future()
        self._waiting[name] = (item, future)
        if self._sender is None:
            self._sender = asyncio.create_task(self._send())
        # One caller that gives up does not take the answer from the others.
        return await asyncio.shield(future)

    async def _send(self) -> None:
        await asyncio.sleep(self._linger)
        while self._waiting:
            await self._at_once.acquire()
            batch = dict(list(self._waiting.items())[: self._maximum])
            for name in batch:
                del self._waiting[name]
            task = asyncio.create_task(self._answer(batch))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        self._sender = None

    async def _answer(self, batch: dict[Name, tuple[Item, asyncio.Future[Answer]]]) -> None:
        answers: Mapping[Name, Answer | BaseException]
        try:
            answers = await self._request({name: item for name, (item, _) in batch.items()})
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the callers' to see
            answers = dict.fromkeys(batch, error)
        finally:
            self._at_once.release()
        for name, (_, future) in batch.items():
            answer = answers[name]
            if future.done():
                continue
            if isinstance(answer, BaseException):
                future.set_exception(answer)
                # Its callers may have been cancelled meanwhile.
                future.exception()
            else:
                future.set_result(answer)
