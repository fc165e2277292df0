"""Which cluster answers, asked again before anything is written to it."""

from __future__ import annotations

import asyncio

from fink_distribution.kafka.admin import KafkaAdmin


class Identity:
    """Asks a cluster for its id, once for all who want to know it meanwhile.

    An answer counts only for those who asked before the question was sent: another cluster may stand behind the address since.
    """

    def __init__(self, admin: KafkaAdmin) -> None:
        self._admin = admin
        self._turn = asyncio.Lock()
        self._next: asyncio.Task[str] | None = None

    async def ask(self) -> str:
        """Return the id that the cluster answers with now; raises as `KafkaAdmin.facts`."""
        if self._next is None:
            self._next = asyncio.create_task(self._ask())
            # Read, so that asyncio does not complain of a failure that nobody waits for any more.
            self._next.add_done_callback(lambda asked: asked.cancelled() or asked.exception())
        return await asyncio.shield(self._next)

    async def _ask(self) -> str:
        async with self._turn:
            # Whoever comes from here on is not answered by this question.
            self._next = None
            return (await self._admin.facts()).cluster_id
