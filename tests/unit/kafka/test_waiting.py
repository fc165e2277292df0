"""Waiting for Kafka's answers, without a Kafka."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future

import pytest

from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.kafka.login import Login


async def _cancelled_as_the_answer_comes(admin: KafkaAdmin, ticks: int) -> None:
    answer: Future[int] = Future()
    waiting = asyncio.create_task(admin.result("asking", answer))
    await asyncio.sleep(0)
    answer.set_result(1)
    for _ in range(ticks):
        await asyncio.sleep(0)
    is_over = waiting.done()
    waiting.cancel()
    if is_over:
        return
    with pytest.raises(asyncio.CancelledError):
        await waiting


@pytest.mark.parametrize("ticks", range(6))
def test_a_cancellation_is_never_swallowed_whenever_it_comes(ticks: int) -> None:
    admin = KafkaAdmin(Login("127.0.0.1:1", None, None, None), 1.0)
    try:
        asyncio.run(_cancelled_as_the_answer_comes(admin, ticks))
    finally:
        admin.close()
