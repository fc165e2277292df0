"""The cases: create, change, pass over unchanged, delete, for topics, for users with permissions, and one alone among many."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from reconcile.load import Load, Object, in_parallel, until
from reconcile.operator_process import OperatorProcess

API_VERSION = "distribution.fink-broker.org/v1alpha1"
SINGLES = 50


@dataclass(frozen=True)
class Row:
    """One row of the table; None where a figure does not apply."""

    case: str
    n: int
    seconds: float | None = None
    p50_ms: float | None = None
    p99_ms: float | None = None
    peak_rss_mib: float | None = None
    cpu_s: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the row for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Family:
    """Resources that are made, changed and deleted together: for each number, one object of each kind."""

    name: str
    plurals: tuple[str, ...]
    objects: Callable[[Load, int, str], dict[str, Object]]
    change: dict[str, dict[str, Any]]


def _object(load: Load, kind: str, name: str, spec: dict[str, Any]) -> Object:
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "namespace": load.namespace},
        "spec": spec,
    }


def _topic(load: Load, number: int, prefix: str) -> dict[str, Object]:
    name = f"{prefix}-{number}"
    spec = {
        "topicName": f"{load.namespace}.{name}",
        "partitions": 1,
        "replicationFactor": 1,
        "config": {"retention.ms": "3600000"},
        "deletionPolicy": "Delete",
    }
    return {"alerttopics": _object(load, "AlertTopic", name, spec)}


def _user(load: Load, number: int, prefix: str) -> dict[str, Object]:
    name = f"{prefix}-{number}"
    rules = [
        ("topic", "Topic", ["Read", "Describe"]),
        ("group", "Group", ["Read"]),
    ]
    acl = {
        "userRef": {"name": name},
        "rules": [
            {
                "name": rule,
                "resource": {"type": kind, "name": f"{load.namespace}.{name}", "patternType": "Prefixed"},
                "operations": operations,
            }
            for rule, kind, operations in rules
        ],
    }
    return {
        "kafkausers": _object(load, "KafkaUser", name, {"userName": f"{load.namespace}.{name}"}),
        "kafkaacls": _object(load, "KafkaAcl", name, acl),
    }


TOPICS = Family("topics", ("alerttopics",), _topic, {"alerttopics": {"config": {"retention.ms": "7200000"}}})
USERS = Family(
    "users + 3 ACLs",
    ("kafkausers", "kafkaacls"),
    _user,
    {
        "kafkausers": {"secret": {"labels": {"changed": "yes"}}},
        "kafkaacls": {
            "rules": [
                {"name": "topic", "resource": {"type": "Topic", "name": "changed"}, "operations": ["Read", "Describe"]},
                {"name": "group", "resource": {"type": "Group", "name": "changed"}, "operations": ["Read"]},
            ]
        },
    },
)


@dataclass
class Bench:
    """One operator, one namespace, and the rows so far."""

    load: Load
    launch: Callable[[], OperatorProcess]
    report: Callable[[Row], None]
    operator: OperatorProcess = field(init=False)

    def __post_init__(self) -> None:
        self.operator = self.launch()

    async def _timed(self, case: str, n: int, work: Callable[[], Awaitable[None]]) -> None:
        cpu, start = self.operator.cpu_seconds, time.perf_counter()
        await work()
        seconds = time.perf_counter() - start
        self.operator.check()
        used = self.operator.cpu_seconds - cpu
        self.report(Row(case, n, round(seconds, 2), None, None, round(self.operator.peak_rss_mib, 1), round(used, 2)))

    async def lot(self, family: Family, n: int, before_deletion: Callable[[], Awaitable[None]] | None = None) -> None:
        """Create, change and delete n of a family, and wait each time until the last is done."""
        names = [f"lot-{number}" for number in range(n)]
        limit = 60 + n / 5
        async with AsyncExitStack() as stack:
            seen = {plural: await stack.enter_async_context(self.load.watch(plural)) for plural in family.plurals}

            async def all_ready(generation: int) -> None:
                for plural, watched in seen.items():
                    await until(
                        watched,
                        partial(watched.all_ready, names, generation),
                        limit,
                        f"all {n} {plural} are Ready at generation {generation}",
                    )

            async def create() -> None:
                made = [family.objects(self.load, number, "lot") for number in range(n)]
                calls = [partial(self.load.create, plural, each[plural]) for each in made for plural in family.plurals]
                await in_parallel(calls)
                await all_ready(1)

            async def change() -> None:
                calls = [
                    partial(self.load.change, plural, name, family.change[plural])
                    for name in names
                    for plural in family.plurals
                ]
                await in_parallel(calls)
                await all_ready(2)

            async def delete() -> None:
                calls = [partial(self.load.delete, plural, name) for name in names for plural in family.plurals]
                await in_parallel(calls)
                for watched in seen.values():
                    await until(watched, partial(watched.all_gone, names), limit, f"all {n} {family.name} are gone")

            async def verify() -> None:
                users = seen["kafkausers"]
                await until(users, partial(users.all_verified, names), 300, f"all {n} users have logged in")

            await self._timed(f"create all: {family.name}", n, create)
            if "kafkausers" in seen:
                await self._timed(f"then a login of each: {family.name}", n, verify)
            await self._timed(f"change all: {family.name}", n, change)
            if before_deletion is not None:
                await before_deletion()
            await self._timed(f"delete all: {family.name}", n, delete)

    async def singles(self, family: Family, others: int) -> None:
        """One after the other: from its creation to Ready."""
        taken: list[float] = []
        async with AsyncExitStack() as stack:
            seen = {plural: await stack.enter_async_context(self.load.watch(plural)) for plural in family.plurals}
            for number in range(SINGLES):
                name = f"single-{number}"
                objects = family.objects(self.load, number, "single")
                start = time.perf_counter()
                for plural in family.plurals:
                    await self.load.create(plural, objects[plural])
                for plural, watched in seen.items():
                    await until(watched, partial(watched.all_ready, [name], 1), 30, f"{plural} {name} is Ready")
                taken.append((time.perf_counter() - start) * 1000)
            await in_parallel(
                [
                    partial(self.load.delete, plural, f"single-{number}")
                    for number in range(SINGLES)
                    for plural in family.plurals
                ]
            )
            for watched in seen.values():
                await until(
                    watched,
                    partial(watched.all_gone, [f"single-{number}" for number in range(SINGLES)]),
                    60,
                    "the singles are gone",
                )
        taken.sort()
        case = f"one alone: {family.name}" if others == 0 else f"one among {others}: {family.name}"
        p99 = taken[min(len(taken) - 1, round(0.99 * len(taken)))]
        self.report(Row(case, SINGLES, None, round(statistics.median(taken), 1), round(p99, 1)))

    async def unchanged(self, n: int, passes: int, interval_seconds: float) -> None:
        """Let drift passes go over what has not changed, and count what they write.

        Events and the logins of a change are late by design, so first all of that has to be over.
        """
        earlier, before = -1, await self._writes()
        while earlier != before:
            await asyncio.sleep(interval_seconds)
            earlier, before = before, await self._writes()
        cpu = self.operator.cpu_seconds
        await asyncio.sleep(passes * interval_seconds)
        written = await self._writes() - before
        used = (self.operator.cpu_seconds - cpu) / passes
        self.report(
            Row(
                f"a pass over all unchanged ({written} writes)",
                n,
                None,
                None,
                None,
                round(self.operator.peak_rss_mib, 1),
                round(used, 2),
            )
        )

    async def start(self, n: int) -> None:
        """End the operator, and start one for which all is there already: until it has looked at each resource."""
        self.operator.stop()
        begun = time.perf_counter()
        self.operator = self.launch()
        while await self.operator.reconciled() < n:
            self.operator.check()
            await asyncio.sleep(0.1)
        seconds, used = time.perf_counter() - begun, self.operator.cpu_seconds
        self.report(
            Row("start, all present", n, round(seconds, 2), None, None, round(self.operator.peak_rss_mib, 1), used)
        )

    async def _writes(self) -> int:
        """How many requests have changed our kinds, Secrets, Events or ConfigMaps."""
        return sum(_count(line) for line in (await self.load.metrics()).splitlines())


_RESOURCES = ("alerttopics", "kafkausers", "kafkaacls", "kafkaconnections", "secrets", "events", "configmaps")
_WRITES = ("POST", "PUT", "PATCH", "APPLY", "DELETE")


def _count(line: str) -> int:
    """Return how many writes a line of the API server's metrics counts."""
    is_write = (
        line.startswith("apiserver_request_total{")
        and any(f'resource="{name}"' in line for name in _RESOURCES)
        and any(f'verb="{verb}"' in line for verb in _WRITES)
    )
    return int(float(line.rpartition(" ")[2])) if is_write else 0
