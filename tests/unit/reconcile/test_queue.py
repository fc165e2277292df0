"""The queue of the operator: first come first served, one at a time for each key, nothing dropped."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from fink_distribution.reconcile.queue import WorkQueue
from fink_distribution.resources.keys import Key, Kind


def key(number: int) -> Key:
    return Key(Kind.ALERT_TOPIC, "default", f"t{number:05}")


async def drained(queue: WorkQueue) -> None:
    """Wait until no key waits and none is worked on."""
    async with asyncio.timeout(10):
        while queue.depth or queue.oldest_turn_seconds:
            await asyncio.sleep(0)


def play(
    work: Callable[[Key], Awaitable[float | None]], act: Callable[[WorkQueue], Awaitable[None]], limit: int = 4
) -> None:
    async def run() -> None:
        queue = WorkQueue(work, limit)
        await act(queue)
        await drained(queue)
        await queue.close()

    asyncio.run(run())


def test_nothing_is_worked_on_before_all_are_known_and_then_in_order() -> None:
    seen: list[Key] = []

    async def work(one: Key) -> None:
        seen.append(one)

    async def act(queue: WorkQueue) -> None:
        for number in range(10):
            queue.add(key(number))
        await asyncio.sleep(0.01)
        assert seen == []
        assert queue.depth == 10
        queue.open()

    play(work, act, limit=1)
    assert seen == [key(number) for number in range(10)]


def test_a_burst_of_any_size_is_worked_off_once_each_and_never_more_than_the_limit_at_once() -> None:
    seen: Counter[Key] = Counter()
    running = most = 0

    async def work(one: Key) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0)
        seen[one] += 1
        running -= 1

    async def act(queue: WorkQueue) -> None:
        for _ in range(3):
            for number in range(20_000):
                queue.add(key(number))
        queue.open()

    play(work, act, limit=64)
    assert len(seen) == 20_000
    assert set(seen.values()) == {1}
    assert most == 64


def test_a_key_that_is_woken_during_its_turn_gets_one_more_and_never_two_at_once() -> None:
    turns = at_once = 0

    async def act(queue: WorkQueue) -> None:
        queue.open()
        queue.add(key(1))

    async def work(one: Key) -> None:
        nonlocal turns, at_once
        turns += 1
        at_once += 1
        assert at_once == 1
        if turns == 1:
            for _ in range(5):
                queues[0].add(one)
        await asyncio.sleep(0.001)
        at_once -= 1

    queues: list[WorkQueue] = []

    async def remember(queue: WorkQueue) -> None:
        queues.append(queue)
        await act(queue)

    play(work, remember)
    assert turns == 2


def test_a_turn_that_asks_for_another_gets_it_and_a_wake_up_comes_before_it() -> None:
    async def run() -> None:
        turns: list[float] = []
        loop = asyncio.get_running_loop()

        async def work(_: Key) -> float | None:
            turns.append(loop.time())
            return 0.05 if len(turns) == 1 else 60.0 if len(turns) == 2 else None

        queue = WorkQueue(work, 1)
        queue.open()
        queue.add(key(1))
        async with asyncio.timeout(5):
            while len(turns) < 2:
                await asyncio.sleep(0.001)
            queue.add(key(1))
            while len(turns) < 3:
                await asyncio.sleep(0.001)
        assert turns[1] - turns[0] >= 0.05
        await queue.close()

    asyncio.run(run())


def test_a_turn_that_fails_in_an_unknown_way_is_tried_again_and_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[Key] = []

    async def work(one: Key) -> None:
        seen.append(one)
        if one == key(0):
            raise ValueError("broken")

    async def act(queue: WorkQueue) -> None:
        for number in range(3):
            queue.add(key(number))
        queue.open()

    play(work, act, limit=1)
    assert seen == [key(0), key(1), key(2)]
    assert "tried again" in caplog.text


def test_a_key_that_is_gone_leaves_the_line() -> None:
    seen: list[Key] = []

    async def work(one: Key) -> None:
        seen.append(one)

    async def act(queue: WorkQueue) -> None:
        queue.add(key(1))
        queue.add(key(2))
        queue.discard(key(1))
        queue.open()

    play(work, act)
    assert seen == [key(2)]
