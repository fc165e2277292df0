"""The job's configuration: one JSON document, checked by its schema, then frozen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from job_settings import documents, kafka
from job_settings.documents import ConfigError
from job_settings.kafka import Kafka

SCHEMA_FILE = "stream-job.schema.json"
EARLIEST, LATEST = "Earliest", "Latest"


class Format(StrEnum):
    """How an alert stands in a message; see `formats`."""

    SCHEMA_IN_KEY = "SchemaInKey"
    OBJECT_CONTAINER = "ObjectContainer"
    JSON = "Json"


class Guarantee(StrEnum):
    """How often an alert of an output is in its topic; see `delivery`."""

    EXACTLY_ONCE = "ExactlyOnce"
    AT_LEAST_ONCE = "AtLeastOnce"


@dataclass(frozen=True)
class Delivery:
    """`transactional_id` is also the group that holds the marks of transactions."""

    guarantee: Guarantee
    transactional_id: str


@dataclass(frozen=True)
class Source:
    path: str
    max_files_per_batch: int
    id_column: str | None
    starting_from: str = EARLIEST


@dataclass(frozen=True)
class Output:
    """One filter, one topic, one choice of columns; at most one of `sql` and `python` is set."""

    name: str
    topic: str
    sql: str | None = None
    python: str | None = None
    select: tuple[str, ...] | None = None
    drop: tuple[str, ...] = ()
    format: Format = Format.SCHEMA_IN_KEY
    max_match_percent: int | None = None
    max_alerts_per_batch: int | None = None


@dataclass(frozen=True)
class Progress:
    to: Literal["kubernetes", "log"]
    interval_seconds: int


@dataclass(frozen=True)
class JobConfig:
    namespace: str
    name: str
    source: Source
    checkpoint: Path
    kafka: Kafka
    delivery: Delivery
    outputs: tuple[Output, ...]
    trigger_seconds: int
    progress: Progress
    spark_conf: dict[str, str]


def schema() -> dict[str, Any]:
    """The JSON schema that the package carries; a test keeps it equal to schemas/stream-job.schema.json."""
    return documents.packaged_schema("distribution_job", SCHEMA_FILE)


def load(file: Path) -> JobConfig:
    """Read and check the document.

    Raises ConfigError, with every problem found.
    """
    return parse(documents.read(file))


def parse(document: Any) -> JobConfig:
    """Check a decoded document and freeze it.

    Raises ConfigError, with every problem found.
    """
    documents.check(document, schema())
    config = _freeze(document)
    problems = list(_contradictions(config))
    if problems:
        raise ConfigError(problems)
    return config


def _freeze(document: dict[str, Any]) -> JobConfig:
    source, progress = document["source"], document["progress"]
    namespace, name = document["stream"]["namespace"], document["stream"]["name"]
    delivery = document.get("delivery", {})
    return JobConfig(
        namespace=namespace,
        name=name,
        source=Source(
            source["path"],
            source.get("maxFilesPerBatch", 100),
            source.get("idColumn"),
            source.get("startingFrom", EARLIEST),
        ),
        checkpoint=_local_folder(document["checkpoint"]["path"]),
        kafka=kafka.freeze(document["kafka"]),
        delivery=Delivery(
            Guarantee(delivery.get("guarantee", Guarantee.EXACTLY_ONCE)),
            delivery.get("transactionalId", f"{namespace}.{name}-stream"),
        ),
        outputs=tuple(_output(output) for output in document["outputs"]),
        trigger_seconds=document["trigger"]["intervalSeconds"],
        progress=Progress(progress["to"], progress.get("intervalSeconds", 5)),
        spark_conf=dict(document["spark"]["conf"]),
    )


def _output(output: dict[str, Any]) -> Output:
    chosen = output.get("filter", {})
    select = output.get("select")
    return Output(
        name=output["name"],
        topic=output["topic"],
        sql=chosen.get("sql"),
        python=chosen.get("python"),
        select=tuple(select) if select is not None else None,
        drop=tuple(output.get("drop", ())),
        format=Format(output.get("format", Format.SCHEMA_IN_KEY)),
        max_match_percent=output.get("maxMatchPercent"),
        max_alerts_per_batch=output.get("maxAlertsPerBatch"),
    )


def _local_folder(path: str) -> Path:
    parts = urlsplit(path)
    if parts.scheme not in ("", "file"):
        problem = (
            f"checkpoint.path: {path} is not a folder of a mounted file system, which is where the files put aside for a "
            "later attempt are kept. Give a plain path, such as a mounted volume's."
        )
        raise ConfigError([problem])
    return Path(parts.path if parts.scheme else path).absolute()


def milliseconds(moment: str) -> int:
    """A time (RFC 3339) in milliseconds since 1970.

    Raises ValueError for one that is not in the calendar or has no offset.
    """
    parsed = datetime.fromisoformat(moment)
    if parsed.tzinfo is None:
        raise ValueError("no offset from UTC")
    return round(parsed.timestamp() * 1000)


def _contradictions(config: JobConfig) -> list[str]:
    """What the schema cannot say."""
    found = []
    moment = config.source.starting_from
    if moment not in (EARLIEST, LATEST):
        try:
            milliseconds(moment)
        except ValueError as error:
            found.append(
                f"source.startingFrom: {moment} is no time ({error}). Give one as 2026-01-31T22:00:00Z, or Earliest or Latest."
            )
    seen: set[str] = set()
    for position, output in enumerate(config.outputs):
        if output.name in seen:
            found.append(
                f"outputs[{position}].name: {output.name} is the name of another output too. Give each its own."
            )
        seen.add(output.name)
        if output.max_alerts_per_batch is not None and config.delivery.guarantee is Guarantee.AT_LEAST_ONCE:
            found.append(
                f"outputs[{position}].maxAlertsPerBatch: is not kept with AtLeastOnce, where no process sees all of a batch. Leave it "
                "out, or set delivery.guarantee to ExactlyOnce."
            )
    return [*found, *kafka.contradictions(config.kafka)]
