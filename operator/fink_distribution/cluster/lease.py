"""Which of several operators writes: a Lease in the operator's own namespace decides.

As client-go's leaderelection, and unlike the one in kubernetes.aio (docs/decisions/0010-lease.md says why that one is not used), it
never compares clocks of two machines. Who waits counts on its own clock for how long the Lease has not changed; the times that stand
in it are for people. Who holds it counts from before its last renewal was sent. The clock goes on while the machine sleeps.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fink_distribution.cluster.api import AlreadyExists, Cluster, Gone, Object
from fink_distribution.errors import Reason, ReconcileError, Waiting

logger = logging.getLogger(__name__)

API_VERSION = "coordination.k8s.io/v1"
NAME = "fink-distribution"

_RETRY_SECONDS = 5.0


@dataclass(frozen=True)
class Timing:
    """How long, in seconds.

    Attributes
    ----------
    duration
        Others take over when the Lease has not changed for so long.
    renew_deadline
        The holder writes nothing after so long without a renewal.
    retry
        Between two renewals, or two looks.
    """

    duration: int
    renew_deadline: float
    retry: float


def seconds() -> float:
    """Return the seconds of a clock that nobody can set, and that goes on while the process is stopped or the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def own_identity(named: str) -> str:
    """Return the name of this process in the Lease."""
    return named or f"{socket.gethostname()}-{secrets.token_hex(4)}"


def is_free(spec: Mapping[str, Any], identity: str, unchanged_seconds: float, duration: int) -> bool:
    """Say whether a Lease may be taken.

    Parameters
    ----------
    spec
        The Lease's; empty when it was deleted after it had been seen.
    unchanged_seconds
        For how long we have seen it so.
    duration
        Our own, for a Lease that has none.
    """
    if spec and spec.get("holderIdentity") in (None, "", identity):
        return True
    return unchanged_seconds > float(spec.get("leaseDurationSeconds") or duration)


class Lease:
    """The Lease, as one process sees it.

    Parameters
    ----------
    cluster
        One that may write without the Lease.
    clock
        Seconds; see `seconds`.
    """

    def __init__(
        self,
        cluster: Cluster,
        namespace: str,
        identity: str,
        timing: Timing,
        clock: Callable[[], float] = seconds,
    ) -> None:
        self.identity = identity
        self._cluster = cluster
        self._namespace = namespace
        self._timing = timing
        self._clock = clock
        self._seen: tuple[Mapping[str, Any], float] | None = None
        self._mine: Object | None = None
        self._renewed = float("-inf")
        self._said = ""

    def __str__(self) -> str:
        return f"Lease {self._namespace}/{NAME}"

    @property
    def is_held(self) -> bool:
        """Whether this process may write now."""
        return self._mine is not None and self._clock() - self._renewed < self._timing.renew_deadline

    def check(self) -> None:
        """Raise Waiting unless this process may write now. Asked before each write."""
        if not self.is_held:
            raise Waiting(
                Reason.LEASE_NOT_HELD,
                f"the operator {self.identity} does not hold {self} now, so it changes nothing.",
                _RETRY_SECONDS,
            )

    async def acquire(self) -> None:
        """Wait until this process holds the Lease; the log says who else does."""
        while True:
            if await self._try_to_acquire():
                break
            await asyncio.sleep(self._timing.retry)
        logger.info("%s is held by this operator, %s", self, self.identity)

    async def keep(self) -> None:
        """Renew the Lease; return when somebody else has taken it.

        While it cannot be renewed, nothing is written. If it then turns out that nobody has taken it meanwhile, all goes on.
        """
        while (mine := self._mine) is not None:
            await asyncio.sleep(self._timing.retry)
            try:
                await self._renew(mine)
            except (AlreadyExists, Gone):
                self._mine = None
                logger.error("%s was taken by another operator; this one, %s, ends", self, self.identity)
            except ReconcileError as error:
                held = "" if self.is_held else "; nothing is written until it is"
                self._say(logging.WARNING, f"is not renewed{held}: {error}")

    async def release(self) -> None:
        """Let the next operator take over without waiting."""
        if self._mine is None or not self.is_held:
            return
        lease, self._mine = self._mine, None
        spec = {**lease["spec"], "holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _now()}
        try:
            await self._cluster.replace({**lease, "spec": spec})
        except (AlreadyExists, Gone, ReconcileError) as error:
            logger.warning("%s was not released: %s", self, error)
        else:
            logger.info("%s is released", self)

    async def _try_to_acquire(self) -> bool:
        try:
            lease = await self._look()
            unchanged = self._observe(lease)
            spec = _spec(lease)
            if unchanged is not None and not is_free(spec, self.identity, unchanged, self._timing.duration):
                self._say(
                    logging.INFO, f"is held by {spec.get('holderIdentity')}; this operator, {self.identity}, waits"
                )
                return False
            await self._take(lease)
        except (AlreadyExists, Gone):
            return False
        except ReconcileError as error:
            self._say(logging.WARNING, f"cannot be looked at: {error}")
            return False
        return True

    async def _look(self) -> Object | None:
        return await self._cluster.get(API_VERSION, "Lease", self._namespace, NAME)

    def _observe(self, lease: Object | None) -> float | None:
        """Return for how many seconds the Lease has been as it is; None when there has never been one."""
        if lease is None and self._seen is None:
            return None
        spec = _spec(lease)
        if self._seen is None or self._seen[0] != spec:
            self._seen = (spec, self._clock())
        return self._clock() - self._seen[1]

    async def _take(self, lease: Object | None) -> None:
        begun, now = self._clock(), _now()
        old = _spec(lease)
        spec = {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": self._timing.duration,
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": int(old.get("leaseTransitions") or 0) + (1 if old else 0),
        }
        if lease is None:
            metadata = {"name": NAME, "namespace": self._namespace}
            manifest = {"apiVersion": API_VERSION, "kind": "Lease", "metadata": metadata, "spec": spec}
            self._mine = await self._cluster.create(manifest)
        else:
            self._mine = await self._cluster.replace({**lease, "spec": spec})
        self._renewed = begun

    async def _renew(self, mine: Object) -> None:
        """Raise AlreadyExists or Gone when the Lease is no longer ours."""
        begun, was_held = self._clock(), self.is_held
        try:
            self._mine = await self._cluster.replace({**mine, "spec": {**mine["spec"], "renewTime": _now()}})
        except AlreadyExists:
            lease = await self._look()
            if lease is None or _claim(lease) != _claim(mine):
                raise
            # Somebody has put a label on it, or our last renewal came through without an answer.
            self._mine = lease
            return
        self._renewed, self._said = begun, ""
        if not was_held:
            logger.warning("%s is renewed; nobody has taken it meanwhile", self)

    def _say(self, level: int, text: str) -> None:
        """Log what is new."""
        if text != self._said:
            self._said = text
            logger.log(level, "%s %s", self, text)


def _spec(lease: Object | None) -> Mapping[str, Any]:
    return (lease or {}).get("spec") or {}


def _claim(lease: Object) -> tuple[Any, ...]:
    """Return what stays the same while one process holds the Lease."""
    spec = _spec(lease)
    return lease["metadata"]["uid"], spec.get("holderIdentity"), spec.get("acquireTime"), spec.get("leaseTransitions")


def _now() -> str:
    """Return the time as Kubernetes' MicroTime; for people."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
