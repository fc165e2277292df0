"""The configuration's part `source`: where the science alerts are, of one type each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

EARLIEST, LATEST = "Earliest", "Latest"
SCHEMA_IN_KEY, CONFLUENT, AVRO = "SchemaInKey", "Confluent", "Avro"


@dataclass(frozen=True)
class Parquet:
    path: str
    max_files_per_batch: int


@dataclass(frozen=True)
class Delta:
    path: str
    max_files_per_batch: int
    skip_changes: bool


@dataclass(frozen=True)
class Iceberg:
    path: str
    max_rows_per_batch: int
    skip_changes: bool


@dataclass(frozen=True)
class Jdbc:
    """`late_within`: how far behind the largest cursor a row may come, in seconds or, with whole numbers, in units of them."""

    url: str
    table: str
    cursor_column: str
    key_columns: tuple[str, ...]
    late_within: int
    max_rows_per_batch: int
    credentials_directory: Path
    ca_file: Path | None


@dataclass(frozen=True)
class KafkaTopic:
    """A topic on the brokers that the outputs' topics are on. `schema`: of messages of the format Avro, as JSON."""

    topic: str
    format: str
    schema: str | None
    max_rows_per_batch: int


Part = Parquet | Delta | Iceberg | Jdbc | KafkaTopic


@dataclass(frozen=True)
class Source:
    part: Part
    id_column: str | None
    starting_from: str = EARLIEST

    @property
    def place(self) -> str:
        """Where the alerts are, in a few words."""
        match self.part:
            case Parquet() | Delta() | Iceberg():
                return self.part.path
            case Jdbc():
                return f"the table {self.part.table} of {self.part.url}"
            case KafkaTopic():
                return f"the topic {self.part.topic}"


def freeze(document: dict[str, Any]) -> Source:
    """The part, after its check by the schema."""
    return Source(_part(document), document.get("idColumn"), document.get("startingFrom", EARLIEST))


def _part(document: dict[str, Any]) -> Part:
    kind = document["type"]
    if kind == "parquet":
        return Parquet(document["path"], document.get("maxFilesPerBatch", 100))
    part = document[kind]
    rows = part.get("maxRowsPerBatch", 10_000)
    if kind == "delta":
        return Delta(part["path"], part.get("maxFilesPerBatch", 10), part.get("skipChanges", False))
    if kind == "iceberg":
        return Iceberg(part["path"], rows, part.get("skipChanges", False))
    if kind == "kafka":
        return KafkaTopic(part["topic"], part.get("format", SCHEMA_IN_KEY), part.get("schema"), rows)
    return Jdbc(
        part["url"],
        part["table"],
        part["cursorColumn"],
        tuple(part["keyColumns"]),
        part.get("lateWithin", 300),
        rows,
        Path(part["credentialsDirectory"]).absolute(),
        Path(part["caFile"]).absolute() if "caFile" in part else None,
    )


def milliseconds(moment: str) -> int:
    """A time (RFC 3339) in milliseconds since 1970.

    Raises ValueError for one that is not in the calendar or has no offset.
    """
    parsed = datetime.fromisoformat(moment)
    if parsed.tzinfo is None:
        raise ValueError("no offset from UTC")
    return round(parsed.timestamp() * 1000)


def contradictions(source: Source, topics: list[str], has_registry: bool) -> Iterator[str]:
    """What the schema cannot say. `topics`: those of the outputs."""
    moment, part = source.starting_from, source.part
    if moment not in (EARLIEST, LATEST):
        try:
            milliseconds(moment)
        except ValueError as error:
            yield f"source.startingFrom: {moment} is no time ({error}). Give one as 2026-01-31T22:00:00Z, or Earliest or Latest."
    if not isinstance(part, KafkaTopic):
        return
    if part.topic in topics:
        yield f"source.kafka.topic: {part.topic} is an output's topic too, so each alert would come back for ever. Choose another topic."
    if part.format == CONFLUENT and not has_registry:
        yield "source.kafka.format: Confluent needs a schema registry. Set registry.url, or choose another format."
    if (part.schema is not None) != (part.format == AVRO):
        yield "source.kafka.schema: belongs to the format Avro, which needs it, and to no other. Set it with Avro alone."
