"""Logins with what the Secrets hold, after the fact: the condition CredentialsVerified.

They run beside the reconciles, few at once, and only once no credential has changed for a moment: a burst of new users comes first.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fink_distribution.errors import Reason, ReconcileError
from fink_distribution.kafka.logins import try_login
from fink_distribution.reconcile.context import Context, Outdated
from fink_distribution.resources.conditions import Finding, condition
from fink_distribution.resources.keys import Body, Key, is_deleted

logger = logging.getLogger(__name__)

CONDITION = "CredentialsVerified"

_AT_ONCE = 8
_QUIET_SECONDS = 1.0
_LONGEST_WAIT_SECONDS = 120.0
_RETRY_SECONDS = 15.0


@dataclass(frozen=True)
class Trial:
    """A login to try. `password` never leaves the process."""

    connection: str
    username: str
    mechanism: str
    password: str = field(repr=False)
    credential: Mapping[str, Any]


def pending() -> Finding:
    """Return the condition of a credential that has just been written."""
    return Finding(
        CONDITION, "Unknown", Reason.LOGIN_PENDING, "the credential is new; a login with it is tried shortly."
    )


def is_settled(body: Body) -> bool:
    """Say whether the last login with the present credential succeeded."""
    found = condition(body, CONDITION)
    return found is not None and found["status"] == "True"


class LoginChecks:
    """The logins under way: at most one for each user."""

    def __init__(self) -> None:
        self._at_once = asyncio.Semaphore(_AT_ONCE)
        self._tasks: dict[Key, tuple[Trial, asyncio.Task[None]]] = {}
        self._last_request = 0.0

    def request(self, context: Context, body: Body, trial: Trial) -> None:
        """Try a login soon, unless the same is about to be tried."""
        key = Key.of(body)
        running = self._tasks.get(key)
        if running is not None:
            if running[0] == trial:
                return
            running[1].cancel()
        self._last_request = asyncio.get_running_loop().time()
        task = asyncio.create_task(self._check(context, key, trial))
        self._tasks[key] = trial, task
        context.background.add(task)
        task.add_done_callback(context.background.discard)
        task.add_done_callback(lambda done: self._forget(key, done))

    def _forget(self, key: Key, done: asyncio.Task[None]) -> None:
        if (running := self._tasks.get(key)) is not None and running[1] is done:
            del self._tasks[key]
        if not done.cancelled() and (error := done.exception()) is not None:
            logger.error("%s: the login could not be tried", key, exc_info=error)

    async def _check(self, context: Context, key: Key, trial: Trial) -> None:
        await self._wait_for_quiet(context)
        while self._concerns(context, key, trial):
            try:
                async with self._at_once:
                    admin = await context.connections.admin(trial.connection)
                    let_in = await try_login(admin, trial.mechanism, trial.username, trial.password)
                await self._report(context, key, trial, let_in)
                break
            except Outdated:
                await asyncio.sleep(_QUIET_SECONDS)
            except ReconcileError as error:
                logger.debug("%s: login not tried: %s", key, error)
                await asyncio.sleep(_RETRY_SECONDS)

    async def _wait_for_quiet(self, context: Context) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LONGEST_WAIT_SECONDS):
                while (wait := self._last_request + _QUIET_SECONDS - loop.time()) > 0:
                    await asyncio.sleep(wait)
                    await context.calm.wait()

    def _concerns(self, context: Context, key: Key, trial: Trial) -> bool:
        """Say whether the credential is still the present one."""
        body = context.registry.get(key)
        if body is None or is_deleted(body):
            return False
        return bool((body.get("status") or {}).get("credential") == trial.credential)

    async def _report(self, context: Context, key: Key, trial: Trial, let_in: bool) -> None:
        body = context.registry.get(key)
        if body is None or not self._concerns(context, key, trial):
            return
        before = condition(body, CONDITION)
        news = _outcome(trial, let_in)
        await context.report_finding(body, news)
        if not let_in and (before is None or before["status"] != "False"):
            await context.event(body, "Warning", news.reason, news.message)


def _outcome(trial: Trial, let_in: bool) -> Finding:
    if let_in:
        text = f"user {trial.username} has logged in with {trial.mechanism} and the Secret's password."
        return Finding(CONDITION, "True", Reason.LOGIN_SUCCEEDED, text)
    text = (
        f"the brokers refuse user {trial.username} with {trial.mechanism} and the Secret's password. See that {trial.mechanism} is among the "
        "listener's sasl.enabled.mechanisms, and that nobody else writes this user's credential; it is tried again at each drift pass."
    )
    return Finding(CONDITION, "False", Reason.LOGIN_REFUSED, text)
