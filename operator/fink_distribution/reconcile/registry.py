"""The resources that exist, as last seen, and who is woken by what.

A resource waits here rather than polling: when something that it refers to changes, its wake-up is set.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from fink_distribution.resources.keys import GROUP, Body, Key, Kind, is_deleted
from fink_distribution.resources.references import Claim, claim, precedence, references
from fink_distribution.resources.rotation import ROTATE_ANNOTATION

REQUESTED_ANNOTATION = f"{GROUP}/requested-at"
"""Set it to any new value to have a resource looked at now, as Flux's reconcile.fluxcd.io/requestedAt."""


@dataclass
class Item:
    """One resource: what was last seen of it, and its turn."""

    body: Body
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Registry:
    """All resources of our kinds that this operator watches."""

    def __init__(self, operator_namespace: str) -> None:
        self.operator_namespace = operator_namespace
        self._items: dict[Key, Item] = {}

    def __iter__(self) -> Iterator[Body]:
        return iter([item.body for item in self._items.values()])

    def get(self, key: Key) -> Body | None:
        """Return what was last seen of a resource, or None."""
        item = self._items.get(key)
        return item.body if item else None

    def item(self, key: Key) -> Item | None:
        """Return the resource's turn, or None when it is gone."""
        return self._items.get(key)

    def of_kind(self, kind: Kind) -> list[Body]:
        """Return all resources of a kind."""
        return [item.body for key, item in self._items.items() if key.kind is kind]

    def see(self, body: Body) -> Item:
        """Note a resource as the API server has it now, and wake whom its change concerns. Older news are ignored."""
        key = Key.of(body)
        item = self._items.get(key)
        if item is None:
            item = self._items[key] = Item(body)
            item.wake.set()
            self._wake_others(body)
            return item
        before, same = item.body, item.body["metadata"]["uid"] == body["metadata"]["uid"]
        if same and _version(body) < _version(before):
            return item
        item.body = body
        if not same or _own_matters(before) != _own_matters(body):
            item.wake.set()
        if not same or _others_matters(before) != _others_matters(body):
            self._wake_others(body)
        return item

    def forget(self, body: Body) -> None:
        """Note that a resource is gone."""
        key = Key.of(body)
        item = self._items.get(key)
        if item is not None and item.body["metadata"]["uid"] == body["metadata"]["uid"]:
            del self._items[key]
            self._wake_others(body)

    def wake(self, key: Key) -> None:
        """Have a resource looked at now."""
        if item := self._items.get(key):
            item.wake.set()

    def dependents(self, key: Key) -> list[Body]:
        """Return the resources that refer to this one."""
        return [item.body for item in self._items.values() if key in references(item.body, self.operator_namespace)]

    def rival(self, body: Body) -> Body | None:
        """Return the resource that owns, or comes first in claiming, what this one claims; None when this one may have it."""
        wanted = claim(body)
        peers = [peer for peer in self._peers(wanted) if peer["metadata"]["uid"] != body["metadata"]["uid"]]
        first = min(peers, key=precedence, default=None)
        return first if first is not None and precedence(first) < precedence(body) else None

    def _peers(self, wanted: Claim | None) -> list[Body]:
        return [item.body for item in self._items.values() if wanted is not None and claim(item.body) == wanted]

    def _wake_others(self, body: Body) -> None:
        key = Key.of(body)
        for other in self.dependents(key):
            self.wake(Key.of(other))
        for peer in self._peers(claim(body)):
            if Key.of(peer) != key:
                self.wake(Key.of(peer))
        # A connection that is being deleted waits for those that still use it.
        for reference in references(body, self.operator_namespace):
            if (found := self.get(reference)) is not None and is_deleted(found):
                self.wake(reference)


def _version(body: Body) -> int:
    # Opaque by contract until KEP-5504 made it comparable; a number in every API server there is.
    version = str(body["metadata"].get("resourceVersion", "0"))
    return int(version) if version.isdigit() else 0


def _own_matters(body: Body) -> Any:
    """Return what of a resource's own state makes it be looked at again: not the status that we write ourselves."""
    metadata: Mapping[str, Any] = body["metadata"]
    progress = (body.get("status") or {}).get("progress") or {}
    health = (
        progress.get("state"),
        progress.get("lastErrorReason"),
        progress.get("lastError"),
        progress.get("quarantinedFileCount"),
        [(output["name"], output.get("reason"), output.get("error")) for output in progress.get("outputs") or []],
    )
    annotations = metadata.get("annotations") or {}
    requested = annotations.get(REQUESTED_ANNOTATION), annotations.get(ROTATE_ANNOTATION)
    return metadata.get("generation"), is_deleted(body), requested, health


def _others_matters(body: Body) -> Any:
    """Return what of a resource concerns those that refer to it."""
    status = body.get("status") or {}
    ready = [
        (each["status"], each["reason"], each.get("observedGeneration"))
        for each in status.get("conditions") or []
        if each["type"] == "Ready"
    ]
    facts = [status.get(name) for name in ("ownership", "topicName", "userName", "principal", "bindings")]
    return body["metadata"].get("generation"), is_deleted(body), ready, facts
