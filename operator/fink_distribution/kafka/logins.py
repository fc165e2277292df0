"""A real login with somebody's credential."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from fink_distribution.errors import Reason, ReconcileError
from fink_distribution.kafka.admin import KafkaAdmin

_SETTLED_AFTER_SECONDS = 5.0
_TRY_EVERY_SECONDS = 0.5


async def try_login(admin: KafkaAdmin, mechanism: str, username: str, password: str) -> bool:
    """Log in where `admin` does, by SASL, as somebody else; say whether the brokers let that one in.

    A refusal counts once it has lasted for a few seconds: a broker learns of a new credential a little after it was written.

    Raises
    ------
    ReconcileError
        There was no answer.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _SETTLED_AFTER_SECONDS
    login = replace(admin.login, mechanism=mechanism, username=username, password=password)
    while True:
        client = KafkaAdmin(login, admin.timeout_seconds)
        try:
            await client.facts()
        except ReconcileError as error:
            if error.reason is not Reason.AUTHENTICATION_FAILED:
                raise
            if loop.time() > deadline:
                return False
        else:
            return True
        finally:
            # The client waits for its threads when it goes, so not here.
            await asyncio.to_thread(client.close)
        await asyncio.sleep(_TRY_EVERY_SECONDS)
