"""Resources by the thousand: created, changed, deleted and watched over plain HTTP, so that the measuring costs little itself."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import yaml

GROUP_PATH = "/apis/distribution.fink-broker.org/v1alpha1"
IN_PARALLEL = 16

Object = dict[str, Any]


@dataclass
class Watched:
    """What a watch has seen of one kind: when each object became Ready, and when it went."""

    ready_at: dict[str, float] = field(default_factory=dict)
    generation: dict[str, int] = field(default_factory=dict)
    present: set[str] = field(default_factory=set)
    verified: set[str] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def see(self, kind: str, body: Object) -> None:
        """Take in one event of the watch."""
        name = body["metadata"]["name"]
        if kind == "DELETED":
            self.present.discard(name)
            self.ready_at.pop(name, None)
        else:
            self.present.add(name)
            status, generation = body.get("status") or {}, body["metadata"]["generation"]
            conditions = status.get("conditions") or ()
            if any(each["type"] == "CredentialsVerified" and each["status"] == "True" for each in conditions):
                self.verified.add(name)
            ready = any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
            if ready and status.get("observedGeneration") == generation and self.generation.get(name) != generation:
                self.generation[name] = generation
                self.ready_at[name] = time.perf_counter()
        self.changed.set()

    def all_ready(self, names: Iterable[str], generation: int) -> bool:
        """Say whether each of them has been Ready at this generation or a later one."""
        return all(self.generation.get(name, 0) >= generation for name in names)

    def all_verified(self, names: Iterable[str]) -> bool:
        """Say whether the credentials of each of them have been proved by a login."""
        return self.verified.issuperset(names)

    def all_gone(self, names: Iterable[str]) -> bool:
        """Say whether none of them is there any more."""
        return self.present.isdisjoint(names)


class Load:
    """One namespace's resources."""

    def __init__(self, session: aiohttp.ClientSession, namespace: str) -> None:
        self._session = session
        self.namespace = namespace

    @classmethod
    @asynccontextmanager
    async def connect(cls, kubeconfig: str, namespace: str) -> AsyncIterator[Load]:
        """Connect as the kubeconfig (its text) says, with a client certificate."""
        config = yaml.safe_load(kubeconfig)
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
        with tempfile.NamedTemporaryFile() as both:
            for name in ("client-certificate-data", "client-key-data"):
                both.write(base64.b64decode(user[name]))
            both.flush()
            context.load_cert_chain(both.name)
        connector = aiohttp.TCPConnector(ssl=context, limit=IN_PARALLEL + 8)
        async with aiohttp.ClientSession(cluster["server"], connector=connector) as session:
            yield cls(session, namespace)

    def _path(self, plural: str, name: str = "") -> str:
        return f"{GROUP_PATH}/namespaces/{self.namespace}/{plural}" + (f"/{name}" if name else "")

    async def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None, content: str = "json") -> None:
        data = json.dumps(body) if body is not None else None
        async with self._session.request(
            method, path, data=data, headers={"Content-Type": f"application/{content}"}
        ) as response:
            answer = await response.text()
            if response.status >= 300:
                raise RuntimeError(f"{method} {path}: {response.status}: {answer[:500]}")

    async def create(self, plural: str, body: Object) -> None:
        """Create one resource."""
        await self._send("POST", self._path(plural), body)

    async def change(self, plural: str, name: str, spec: Mapping[str, Any]) -> None:
        """Merge into one resource's spec."""
        await self.merge(plural, name, {"spec": spec})

    async def merge(self, plural: str, name: str, changes: Mapping[str, Any]) -> None:
        """Merge changes into one resource, or (name/status) into its status."""
        await self._send("PATCH", self._path(plural, name), changes, "merge-patch+json")

    async def delete(self, plural: str, name: str) -> None:
        """Delete one resource."""
        await self._send("DELETE", self._path(plural, name))

    async def metrics(self) -> str:
        """Return the API server's own metrics."""
        async with self._session.get("/metrics") as response:
            return await response.text()

    @asynccontextmanager
    async def watch(self, plural: str) -> AsyncIterator[Watched]:
        """Watch one kind from now on."""
        seen = Watched()
        async with self._session.get(self._path(plural)) as response:
            listed = await response.json()
        for body in listed["items"]:
            seen.see("ADDED", body)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self._follow(plural, listed["metadata"]["resourceVersion"], seen))
            yield seen
            task.cancel()

    async def _follow(self, plural: str, version: str, seen: Watched) -> None:
        never = aiohttp.ClientTimeout(total=None)
        # The API server ends a watch that it cannot write to fast enough; it goes on where it was.
        while True:
            query = {"watch": "1", "resourceVersion": version}
            async with self._session.get(
                self._path(plural), params=query, timeout=never, read_bufsize=2**22
            ) as response:
                async for line in response.content:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise RuntimeError(f"the watch of {plural} cannot go on: {event['object']}")
                    seen.see(event["type"], event["object"])
                    version = event["object"]["metadata"]["resourceVersion"]


async def in_parallel(calls: Iterable[Callable[[], Any]]) -> None:
    """Make the calls, a few at a time, as a client that applies a folder would."""
    turns = asyncio.Semaphore(IN_PARALLEL)

    async def one(call: Callable[[], Any]) -> None:
        async with turns:
            await call()

    await asyncio.gather(*(one(call) for call in calls))


async def until(seen: Watched, done: Callable[[], bool], timeout_seconds: float, what: str) -> None:
    """Wait until what the watch has seen is as wanted."""
    deadline = time.perf_counter() + timeout_seconds
    while not done():
        seen.changed.clear()
        if (left := deadline - time.perf_counter()) <= 0:
            raise RuntimeError(f"after {timeout_seconds:.0f} s it was still not so that {what}")
        try:
            async with asyncio.timeout(left):
                await seen.changed.wait()
        except TimeoutError:
            continue
