"""What a stream publishes: each output a filter, a topic, a choice of columns and a format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

FILTER_SECONDS = 60
"""How long one call of a Python filter may take unless the output says otherwise."""


class Format(StrEnum):
    """How an alert stands in a message; see `formats`."""

    SCHEMA_IN_KEY = "SchemaInKey"
    OBJECT_CONTAINER = "ObjectContainer"
    CONFLUENT = "Confluent"
    JSON = "Json"


class Compatibility(StrEnum):
    """What readers of a topic may rely on when its schema changes; see `compatibility`. The terms are Confluent's."""

    BACKWARD = "Backward"
    BACKWARD_TRANSITIVE = "BackwardTransitive"
    FORWARD = "Forward"
    FORWARD_TRANSITIVE = "ForwardTransitive"
    FULL = "Full"
    FULL_TRANSITIVE = "FullTransitive"
    NONE = "None"


@dataclass(frozen=True)
class Output:
    """One filter, one topic, one choice of columns; at most one of `sql` and `python` is set.

    `filter_seconds`: how long one call of `python` may take. `rename`: pairs of a column's name among the alerts and its name in the messages. `schema_file`: where its schema is written.
    `schema_id`: the schema's, where no registry gives one.
    """

    name: str
    topic: str
    sql: str | None = None
    python: str | None = None
    filter_seconds: int = FILTER_SECONDS
    select: tuple[str, ...] | None = None
    drop: tuple[str, ...] = ()
    rename: tuple[tuple[str, str], ...] = ()
    format: Format = Format.SCHEMA_IN_KEY
    compatibility: Compatibility = Compatibility.FORWARD_TRANSITIVE
    schema_file: Path | None = None
    schema_id: int | None = None
    max_match_percent: int | None = None
    max_alerts_per_batch: int | None = None
    max_bytes_per_night: int | None = None


def of(document: Mapping[str, Any]) -> Output:
    """An output of the configuration, which its schema has checked."""
    chosen = document.get("filter", {})
    select = document.get("select")
    return Output(
        name=document["name"],
        topic=document["topic"],
        sql=chosen.get("sql"),
        python=chosen.get("python"),
        filter_seconds=chosen.get("timeoutSeconds", FILTER_SECONDS),
        select=tuple(select) if select is not None else None,
        drop=tuple(document.get("drop", ())),
        rename=tuple(document.get("rename", {}).items()),
        format=Format(document.get("format", Output.format)),
        compatibility=Compatibility(document.get("compatibility", Output.compatibility)),
        schema_file=Path(document["schemaFile"]).absolute() if "schemaFile" in document else None,
        schema_id=document.get("schemaId"),
        max_match_percent=document.get("maxMatchPercent"),
        max_alerts_per_batch=document.get("maxAlertsPerBatch"),
        max_bytes_per_night=document.get("maxBytesPerNight"),
    )


def contradictions(outputs: Sequence[Output]) -> Iterator[str]:
    """What the configuration's schema cannot say."""
    seen: set[str] = set()
    for position, output in enumerate(outputs):
        if output.name in seen:
            yield f"outputs[{position}].name: {output.name} is the name of another output too. Give each its own."
        seen.add(output.name)
        if output.schema_id is not None and output.format is not Format.CONFLUENT:
            yield f"outputs[{position}].schemaId: {output.format} names no schema by an id. Leave it out, or choose the format Confluent."
        names = Counter(name for _, name in output.rename)
        for name in [name for name, times in names.items() if times > 1]:
            columns = " and ".join(column for column, new in output.rename if new == name)
            yield f"outputs[{position}].rename: {columns} would both be called {name}. Give each its own name."
