"""The job's configuration: one JSON document, checked by its schema, then frozen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from distribution_job import outputs as output_definitions
from distribution_job import source_config
from distribution_job.outputs import Format, Output
from distribution_job.source_config import Source
from job_settings import documents, kafka, nights
from job_settings.documents import ConfigError
from job_settings.kafka import Kafka

SCHEMA_FILE = "stream-job.schema.json"


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
class Registry:
    """A schema registry of Confluent's REST API; the login is in the folder's files username and password."""

    url: str
    credentials_directory: Path | None
    ca_file: Path | None


@dataclass(frozen=True)
class Progress:
    to: Literal["kubernetes", "log"]
    interval_seconds: int


@dataclass(frozen=True)
class JobConfig:
    """`night_begins`: an hour of UTC."""

    namespace: str
    name: str
    source: Source
    checkpoint: Path
    kafka: Kafka
    registry: Registry | None
    delivery: Delivery
    night_begins: float
    outputs: tuple[Output, ...]
    trigger_seconds: int
    progress: Progress
    metrics_port: int | None
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
    progress = document["progress"]
    namespace, name = document["stream"]["namespace"], document["stream"]["name"]
    delivery = document.get("delivery", {})
    return JobConfig(
        namespace=namespace,
        name=name,
        source=source_config.freeze(document["source"]),
        checkpoint=_local_folder(document["checkpoint"]["path"]),
        kafka=kafka.freeze(document["kafka"]),
        registry=_registry(document["registry"]) if "registry" in document else None,
        delivery=Delivery(
            Guarantee(delivery.get("guarantee", Guarantee.EXACTLY_ONCE)),
            delivery.get("transactionalId", f"{namespace}.{name}-stream"),
        ),
        night_begins=float(document.get("nightBeginsAtHour", nights.BEGINS_AT_HOUR)),
        outputs=tuple(map(output_definitions.of, document["outputs"])),
        trigger_seconds=document["trigger"]["intervalSeconds"],
        progress=Progress(progress["to"], progress.get("intervalSeconds", 5)),
        metrics_port=document.get("metrics", {}).get("port"),
        spark_conf=dict(document["spark"]["conf"]),
    )


def _registry(document: dict[str, Any]) -> Registry:
    return Registry(document["url"], _path(document, "credentialsDirectory"), _path(document, "caFile"))


def _path(document: dict[str, Any], name: str) -> Path | None:
    return Path(document[name]).absolute() if name in document else None


def _local_folder(path: str) -> Path:
    parts = urlsplit(path)
    if parts.scheme not in ("", "file"):
        problem = (
            f"checkpoint.path: {path} is not a folder of a mounted file system, which is where the files put aside for a "
            "later attempt are kept. Give a plain path, such as a mounted volume's."
        )
        raise ConfigError([problem])
    return Path(parts.path if parts.scheme else path).absolute()


def _contradictions(config: JobConfig) -> list[str]:
    """What the schema cannot say."""
    topics = [output.topic for output in config.outputs]
    found = list(source_config.contradictions(config.source, topics, config.registry is not None))
    found += output_definitions.contradictions(config.outputs)
    if config.delivery.guarantee is Guarantee.AT_LEAST_ONCE:
        found += [
            f"outputs[{position}].{name}: is not kept with AtLeastOnce, where no process sees all of a batch. Leave it "
            "out, or set delivery.guarantee to ExactlyOnce."
            for position, output in enumerate(config.outputs)
            for name, most in (
                ("maxAlertsPerBatch", output.max_alerts_per_batch),
                ("maxBytesPerNight", output.max_bytes_per_night),
            )
            if most is not None
        ]
    return [*found, *_of_registry(config), *kafka.contradictions(config.kafka)]


def _of_registry(config: JobConfig) -> Iterator[str]:
    registry = config.registry
    if registry is None:
        for position, output in enumerate(config.outputs):
            if output.format is Format.CONFLUENT and output.schema_id is None:
                yield (
                    f"outputs[{position}].format: Confluent needs a schema registry, or the schema's id. Set registry.url or schemaId, or "
                    "choose another format."
                )
        return
    for position, output in enumerate(config.outputs):
        if output.schema_id is not None:
            yield f"outputs[{position}].schemaId: the registry gives ids, and would give another. Leave out schemaId or registry."
    if not registry.url.startswith("https:"):
        for name, given in (("credentialsDirectory", registry.credentials_directory), ("caFile", registry.ca_file)):
            if given is not None:
                yield f"registry.{name}: {registry.url} is without TLS, so a password could be read on the way. Set an https address, or leave it out."
