"""kopf's own notes on the objects: none while they live.

kopf keeps each object's last handled spec in an annotation, to tell a user's change from its own. We compare what is declared with
what is, so there is nothing to remember, and the users' objects carry no annotation of ours.
"""

from __future__ import annotations

import kopf


class NoDiffBase(kopf.DiffBaseStorage):
    """Remembers nothing."""

    def fetch(self, *, body: kopf.Body) -> kopf.BodyEssence | None:
        """Return nothing."""
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: kopf.BodyEssence) -> None:
        """Do nothing."""
