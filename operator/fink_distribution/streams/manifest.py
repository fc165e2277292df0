"""What the objects of a stream have in common: their owner, how a change is known, and whether they are as they should be."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from fink_distribution.resources.keys import GROUP, Body, owner_reference

CONFIG_HASH_ANNOTATION = f"{GROUP}/config-hash"

Manifest = dict[str, Any]


def owned(owner: Body, api_version: str, kind: str, name: str, labels: Mapping[str, str], **content: Any) -> Manifest:
    """Return an object in the owner's namespace that goes with it."""
    metadata = {
        "name": name,
        "namespace": owner["metadata"]["namespace"],
        "labels": dict(labels),
        "ownerReferences": [owner_reference(owner)],
    }
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


def digest(content: Mapping[str, Any]) -> str:
    """Return a hash that changes when the content does."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]


def is_applied(live: Any, manifest: Any) -> bool:
    """Say whether an object has all that a manifest says; what the API server or others added does not matter."""
    if isinstance(manifest, Mapping):
        return isinstance(live, Mapping) and all(is_applied(live.get(key), value) for key, value in manifest.items())
    if isinstance(manifest, list):
        return (
            isinstance(live, list)
            and len(live) == len(manifest)
            and all(is_applied(*pair) for pair in zip(live, manifest, strict=True))
        )
    return bool(live == manifest)
