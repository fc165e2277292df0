"""The job's configuration: one JSON document, checked by its schema, then frozen."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from distribution_job import outputs as output_definitions
from distribution_job.outputs import Output

SCHEMA_FILE = "stream-job.schema.json"
EARLIEST, LATEST = "Earliest", "Latest"


class ConfigError(Exception):
    """The document cannot be used; each problem names its field, what is allowed and what to do."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


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
class Kafka:
    bootstrap_servers: str
    security_protocol: str
    sasl_mechanism: str | None
    credentials_directory: Path | None
    ca_file: Path | None
    verify_hostname: bool = True


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
    text = resources.files("distribution_job").joinpath(SCHEMA_FILE).read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def load(file: Path) -> JobConfig:
    """Read and check the document.

    Raises ConfigError, with every problem found.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{file}: cannot be read ({error}). Give the path of a JSON file."]) from error
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ConfigError([f"{file}: is not JSON ({error.msg} at {where}). Correct it there."]) from error
    return parse(document)


def parse(document: Any) -> JobConfig:
    """Check a decoded document and freeze it.

    Raises ConfigError, with every problem found.
    """
    errors = sorted(Draft202012Validator(schema()).iter_errors(document), key=lambda error: list(map(str, error.path)))
    if errors:
        raise ConfigError([_sentence(error) for error in errors])
    config = _freeze(document)
    problems = list(_contradictions(config))
    if problems:
        raise ConfigError(problems)
    return config


def _freeze(document: dict[str, Any]) -> JobConfig:
    source, kafka, progress = document["source"], document["kafka"], document["progress"]
    namespace, name = document["stream"]["namespace"], document["stream"]["name"]
    delivery = document.get("delivery", {})
    credentials, ca_file = kafka.get("credentialsDirectory"), kafka.get("caFile")
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
        kafka=Kafka(
            bootstrap_servers=kafka["bootstrapServers"],
            security_protocol=kafka["securityProtocol"],
            sasl_mechanism=kafka.get("saslMechanism"),
            credentials_directory=Path(credentials).absolute() if credentials else None,
            ca_file=Path(ca_file).absolute() if ca_file else None,
            verify_hostname=kafka.get("verifyHostname", True),
        ),
        delivery=Delivery(
            Guarantee(delivery.get("guarantee", Guarantee.EXACTLY_ONCE)),
            delivery.get("transactionalId", f"{namespace}.{name}-stream"),
        ),
        outputs=tuple(map(output_definitions.of, document["outputs"])),
        trigger_seconds=document["trigger"]["intervalSeconds"],
        progress=Progress(progress["to"], progress.get("intervalSeconds", 5)),
        spark_conf=dict(document["spark"]["conf"]),
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
    found += output_definitions.contradictions(config.outputs)
    for position, output in enumerate(config.outputs):
        if output.max_alerts_per_batch is not None and config.delivery.guarantee is Guarantee.AT_LEAST_ONCE:
            found.append(
                f"outputs[{position}].maxAlertsPerBatch: is not kept with AtLeastOnce, where no process sees all of a batch. Leave it "
                "out, or set delivery.guarantee to ExactlyOnce."
            )
    if config.kafka.security_protocol.startswith("SASL"):
        protocol = config.kafka.security_protocol
        if config.kafka.sasl_mechanism is None:
            found.append(f"kafka.saslMechanism: {protocol} needs it. Set SCRAM-SHA-512 or SCRAM-SHA-256.")
        if config.kafka.credentials_directory is None:
            found.append(
                f"kafka.credentialsDirectory: {protocol} needs it. Set the folder that holds the files username, "
                "password and sasl.jaas.config."
            )
    if config.kafka.ca_file is not None and not config.kafka.security_protocol.endswith("SSL"):
        found.append(
            f"kafka.caFile: {config.kafka.security_protocol} is without TLS, so nobody would look at it. Set SASL_SSL or SSL, or "
            "leave it out."
        )
    return found


def _sentence(error: ValidationError) -> str:
    """One problem as `field: what is wrong; what is allowed`."""
    field = error.json_path.removeprefix("$").removeprefix(".") or "the document"
    rule: Any = error.validator_value
    described: Any = error.schema
    found: Any = error.instance
    if error.validator == "required":
        missing = [name for name in rule if name not in found]
        return f"{field}: lacks {', '.join(missing)}. Add it."
    if error.validator == "additionalProperties":
        known = described.get("properties", {})
        unknown = [name for name in found if name not in known]
        return f"{field}: {', '.join(unknown)} is not known here. Allowed: {', '.join(known)}."
    if error.validator == "enum":
        return f"{field}: {json.dumps(found)} is not allowed. Allowed: {', '.join(rule)}."
    if error.validator == "maxProperties":
        return f"{field}: takes one of {', '.join(described['properties'])}, not several. Keep one."
    return f"{field}: {error.message}. {described.get('description', 'Correct it.')}"
