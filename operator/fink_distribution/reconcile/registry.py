"""The resources that exist, as last seen, and who is woken by what.

A resource waits here rather than polling: when something that it refers to changes, its wake-up is set.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fink_distribution.resources.keys import GROUP, Body, Key, Kind, is_deleted
from fink_distribution.resources.references import Mark, claim, marks, precedence, references
from fink_distribution.resources.rotation import ROTATE_ANNOTATION

REQUESTED_ANNOTATION = f"{GROUP}/requested-at"
"""Set it to any new value to have a resource looked at now, as Flux's reconcile.fluxcd.io/requestedAt."""


_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_MOST_GONE = 10_000


@dataclass
class Item:
    """One resource: what was last seen of it, who it refers to, and what it has in common with others."""

    body: Body
    references: frozenset[Key]
    marks: frozenset[Mark]


class Registry:
    """All resources of our kinds that this operator watches.

    Parameters
    ----------
    wake
        Called with each key that has to be looked at.
    """

    def __init__(self, operator_namespace: str, wake: Callable[[Key], None] = lambda _: None) -> None:
        self.operator_namespace = operator_namespace
        self.on_wake = wake
        self._items: dict[Key, Item] = {}
        # The uids of those that went last: an answer or a listing that was on its way meanwhile must not bring them back.
        self._gone: dict[str, None] = {}
        # Dictionaries for their order: the first that was seen comes first.
        self._kinds: dict[Kind, dict[Key, None]] = {kind: {} for kind in Kind}
        self._dependents: defaultdict[Key, set[Key]] = defaultdict(set)
        self._marked: defaultdict[Mark, set[Key]] = defaultdict(set)

    def __iter__(self) -> Iterator[Body]:
        return iter([item.body for item in self._items.values()])

    def get(self, key: Key) -> Body | None:
        """Return what was last seen of a resource, or None."""
        item = self._items.get(key)
        return item.body if item else None

    def of_kind(self, kind: Kind) -> list[Body]:
        """Return all resources of a kind."""
        return [self._items[key].body for key in self._kinds[kind]]

    def marked(self, mark: Mark) -> list[Body]:
        """Return the resources that carry a mark, in any order; see `marks`."""
        return [self._items[key].body for key in self._marked.get(mark, ())]

    def claimants(self, body: Body) -> list[Body]:
        """Return the other resources that claim what this one claims."""
        wanted = claim(body)
        peers = sorted(self.marked(wanted), key=Key.of) if wanted is not None else []
        return [peer for peer in peers if peer["metadata"]["uid"] != body["metadata"]["uid"]]

    def see(self, body: Body) -> None:
        """Note a resource as the API server has it now, and wake whom its change concerns. Older news are ignored."""
        if body["metadata"]["uid"] in self._gone:
            return
        key, before = Key.of(body), self.get(Key.of(body))
        if before is None:
            self._put(key, body)
            self.wake(key)
            self._wake_others(body)
            return
        same = before["metadata"]["uid"] == body["metadata"]["uid"]
        if same and _version(body) <= _version(before):
            return
        self._put(key, body)
        if not same or _own_matters(before) != _own_matters(body):
            self.wake(key)
        if not same or _others_matters(before) != _others_matters(body):
            self._wake_others(body)

    def forget(self, body: Body) -> None:
        """Note that a resource is gone."""
        self._gone[body["metadata"]["uid"]] = None
        if len(self._gone) > _MOST_GONE:
            del self._gone[next(iter(self._gone))]
        key, known = Key.of(body), self.get(Key.of(body))
        if known is not None and known["metadata"]["uid"] == body["metadata"]["uid"]:
            self._take_out(key)
            self._wake_others(body)

    def wake(self, key: Key) -> None:
        """Have a resource looked at now."""
        if key in self._items:
            self.on_wake(key)

    def dependents(self, key: Key) -> list[Body]:
        """Return the resources that refer to this one."""
        return [self._items[other].body for other in sorted(self._dependents.get(key, ()))]

    def rival(self, body: Body) -> Body | None:
        """Return the resource that owns, or comes first in claiming, what this one claims; None when this one may have it."""
        first = min(self.claimants(body), key=precedence, default=None)
        return first if first is not None and precedence(first) < precedence(body) else None

    def _put(self, key: Key, body: Body) -> None:
        self._take_out(key)
        item = Item(_slim(body), references(body, self.operator_namespace), marks(body))
        self._items[key] = item
        self._kinds[key.kind][key] = None
        for reference in item.references:
            self._dependents[reference].add(key)
        for mark in item.marks:
            self._marked[mark].add(key)

    def _take_out(self, key: Key) -> None:
        item = self._items.pop(key, None)
        if item is None:
            return
        del self._kinds[key.kind][key]
        for reference in item.references:
            _drop(self._dependents, reference, key)
        for mark in item.marks:
            _drop(self._marked, mark, key)

    def _wake_others(self, body: Body) -> None:
        key = Key.of(body)
        for other in tuple(self._dependents.get(key, ())):
            self.wake(other)
        for peer in tuple(self._marked.get(claim(body) or (), ())):
            if peer != key:
                self.wake(peer)
        # A connection that is being deleted waits for those that still use it.
        for reference in references(body, self.operator_namespace):
            if (found := self.get(reference)) is not None and is_deleted(found):
                self.wake(reference)


def _drop(index: defaultdict[Any, set[Key]], name: Any, key: Key) -> None:
    index[name].discard(key)
    if not index[name]:
        del index[name]


def _slim(body: Body) -> Body:
    """Leave out what nobody here reads and what is half of a small object: who wrote which field, and kubectl's own copy."""
    metadata = {name: value for name, value in body["metadata"].items() if name != "managedFields"}
    annotations = metadata.get("annotations") or {}
    if _LAST_APPLIED in annotations:
        metadata["annotations"] = {name: value for name, value in annotations.items() if name != _LAST_APPLIED}
    return {**body, "metadata": metadata}


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
    facts = [status.get(name) for name in ("ownership", "topicName", "userName", "principal", "bindings", "caSha256")]
    return body["metadata"].get("generation"), is_deleted(body), ready, facts
