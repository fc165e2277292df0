"""The source of a DistributionStream: where its alerts are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fink_distribution.resources.kafka_connection import authority
from fink_distribution.resources.keys import Key, Kind

EARLIEST = "Earliest"
PARQUET = "parquet"
_MOUNT = "/science"
# What the job is told as it stands.
_SETTINGS = {
    "maxFilesPerBatch",
    "maxRowsPerBatch",
    "skipChanges",
    "url",
    "table",
    "cursorColumn",
    "keyColumns",
    "lateWithin",
    "format",
    "schema",
}


@dataclass(frozen=True)
class StreamSource:
    """A source of one of the types.

    Attributes
    ----------
    claim, path, mount
        The volume that it is on, the folder in it, and where the pods have the volume; no claim for a database or a topic.
    topic
        The AlertTopic that it is, or None.
    credentials, ca
        As of a Registry.
    """

    type: str
    starting_from: str
    id_column: str | None
    settings: Mapping[str, Any]
    claim: str | None = None
    path: str = ""
    mount: str = _MOUNT
    topic: Key | None = None
    credentials: str | None = None
    ca: tuple[str, str, str] | None = field(default=None)

    @classmethod
    def of(cls, namespace: str, fields: Mapping[str, Any]) -> StreamSource:
        """Read spec.source of an object that the API server has checked."""
        kind = fields.get("type", PARQUET)
        part = fields[kind]
        topic = part.get("topicRef")
        return cls(
            type=kind,
            starting_from=fields.get("startingFrom", EARLIEST),
            id_column=part.get("idColumn"),
            settings={name: part[name] for name in sorted(_SETTINGS & set(part))},
            claim=part.get("claimName"),
            path=part.get("path", ""),
            mount=part.get("mountPath", _MOUNT),
            topic=Key(Kind.ALERT_TOPIC, namespace, topic["name"]) if topic else None,
            credentials=(part.get("credentialsSecretRef") or {}).get("name"),
            ca=authority(part),
        )

    @property
    def is_staged(self) -> bool:
        """Whether its alerts become files of the checkpoint's volume first."""
        return self.type != PARQUET
