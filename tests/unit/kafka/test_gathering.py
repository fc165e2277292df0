"""Calls that come together go to the broker together, and each has its own outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from fink_distribution.kafka.gathering import Gather


class Recorder:
    """A request that remembers what it was asked, and fails for some."""

    def __init__(self, bad: set[str] = frozenset(), wait: float = 0) -> None:  # type: ignore[assignment]
        self.asked: list[Mapping[str, int]] = []
        self.bad = bad
        self.wait = wait
        self.most = self.running = 0

    async def __call__(self, items: Mapping[str, int]) -> Mapping[str, int | BaseException]:
        self.asked.append(items)
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(self.wait)
        self.running -= 1
        return {name: ValueError(name) if name in self.bad else item * 2 for name, item in items.items()}


def test_calls_of_one_moment_are_one_request_in_their_order() -> None:
    async def run() -> None:
        request = Recorder()
        gather: Gather[str, int, int] = Gather(request)
        names = [f"n{number}" for number in (3, 1, 2)]
        assert await asyncio.gather(*(gather(name, number) for number, name in enumerate(names))) == [0, 2, 4]
        assert [list(asked) for asked in request.asked] == [names]

    asyncio.run(run())


def test_one_bad_item_fails_alone() -> None:
    async def run() -> None:
        gather: Gather[str, int, int] = Gather(Recorder(bad={"b"}))
        found = await asyncio.gather(*(gather(name, 1) for name in "abc"), return_exceptions=True)
        assert found[0] == found[2] == 2
        assert isinstance(found[1], ValueError)

    asyncio.run(run())


def test_a_request_that_fails_as_a_whole_fails_for_all_and_the_next_one_works() -> None:
    async def run() -> None:
        broken = True

        async def request(items: Mapping[str, int]) -> Mapping[str, int | BaseException]:
            if broken:
                raise ConnectionError("away")
            return dict(items)

        gather: Gather[str, int, int] = Gather(request)
        found = await asyncio.gather(*(gather(name, 1) for name in "ab"), return_exceptions=True)
        assert [type(each) for each in found] == [ConnectionError, ConnectionError]
        broken = False
        assert await gather("a", 7) == 7

    asyncio.run(run())


def test_a_burst_is_cut_into_requests_of_which_only_some_are_under_way() -> None:
    async def run() -> None:
        request = Recorder(wait=0.01)
        gather: Gather[str, int, int] = Gather(request, maximum=10, at_once=2)
        found = await asyncio.gather(*(gather(f"n{number}", number) for number in range(95)))
        assert found == [number * 2 for number in range(95)]
        assert [len(asked) for asked in request.asked] == [10] * 9 + [5]
        assert request.most == 2

    asyncio.run(run())


def test_the_newest_item_of_a_name_is_sent_and_all_who_asked_get_its_answer() -> None:
    async def run() -> None:
        request = Recorder()
        gather: Gather[str, int, int] = Gather(request)
        assert await asyncio.gather(gather("a", 1), gather("a", 5)) == [10, 10]
        assert request.asked == [{"a": 5}]

    asyncio.run(run())


def test_a_caller_that_gives_up_does_not_take_the_answer_from_another() -> None:
    async def run() -> None:
        gather: Gather[str, int, int] = Gather(Recorder(wait=0.05))
        first, second = asyncio.ensure_future(gather("a", 1)), asyncio.ensure_future(gather("a", 1))
        await asyncio.sleep(0.02)
        first.cancel()
        assert await second == 2
        with pytest.raises(asyncio.CancelledError):
            await first

    asyncio.run(run())
