"""kopf's own notes on the objects: none while they live.

kopf keeps each object's last handled spec in an annotation, to tell a user's change from its own. We compare what is declared with
what is, so there is nothing to remember, and the users' objects carry no annotation of ours.
"""

from __future__ import annotations

from typing import Any

import kopf


class NoDiffBase(kopf.DiffBaseStorage):
    """Remembers nothing."""

    def build(self, *, body: kopf.Body, extra_fields: Any = None) -> kopf.BodyEssence:
        """Return nothing to compare: kopf would copy each object as a whole, for each of its events."""
        return kopf.BodyEssence()

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:
        """Return nothing."""
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Do nothing."""
