"""What one pass over a batch's alerts is to do, worked out from the outputs, the alerts' schema and the topics."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pyspark.sql.types import DataType, StructField, StructType

from distribution_job import avro_schema
from distribution_job.avro_schema import AvroSchema
from distribution_job.failures import Failure, OutputError, Reason, choices
from distribution_job.outputs import Format, Output
from distribution_job.texts import has_text
from distribution_job.topics import Topic

ID_COLUMNS = ("candid", "diaSourceId", "alertId", "objectId")


@dataclass(frozen=True)
class Projection:
    """Columns that are encoded together, once per alert, for all the outputs that publish just these in this format.

    `names`: what the columns are called in the messages. `texts`: the types of the columns that hold text. `schema_id`: the schema's in the registry,
    if the format names it.
    """

    columns: tuple[str, ...]
    names: tuple[str, ...]
    format: Format
    schema: AvroSchema
    texts: Mapping[str, DataType] = field(default_factory=dict)
    schema_id: int | None = None


@dataclass(frozen=True)
class Routed:
    """An output that can be sent: its projection by position, and its topic."""

    output: Output
    projection: int
    topic: Topic


@dataclass(frozen=True)
class Plan:
    id_column: str
    projections: tuple[Projection, ...]
    outputs: tuple[Routed, ...]
    failures: Mapping[str, Failure]


Admit = Callable[[Output, AvroSchema], int | None]
"""See that an output may publish with this schema; returns its id in the registry, if there is one. Raises OutputError."""


def make(
    outputs: Sequence[Output],
    alerts: StructType,
    topics: Mapping[str, Topic | Failure],
    id_column: str | None,
    admit: Admit,
) -> Plan:
    """Route each output; one that cannot be is in `failures` under its name, and does not touch the others."""
    failures: dict[str, Failure] = {}
    schemas: dict[tuple[tuple[str, ...], tuple[str, ...]], AvroSchema] = {}
    projections: list[Projection] = []
    routed = []
    identity = ""
    for output in outputs:
        try:
            identity = identify(alerts, id_column)
            topic = topics[output.topic]
            if isinstance(topic, Failure):
                raise OutputError(topic.reason, topic.message)
            columns = published(output, alerts)
            chosen = columns, published_names(output, columns)
            if chosen not in schemas:
                schemas[chosen] = avro_schema.derive(_renamed(alerts, *chosen))
            schema_id = admit(output, schemas[chosen])
            texts = {name: kind for name in columns if has_text(kind := alerts[name].dataType)}
            wanted = Projection(*chosen, output.format, schemas[chosen], texts, schema_id)
            if wanted not in projections:
                projections.append(wanted)
            routed.append(Routed(output, projections.index(wanted), topic))
        except OutputError as error:
            failures[output.name] = error.failure
    return Plan(identity, tuple(projections), tuple(routed), failures)


def identify(alerts: StructType, id_column: str | None) -> str:
    """The column that identifies an alert: the configured one, else the first of ID_COLUMNS that there is.

    Raises OutputError (ColumnMissing).
    """
    for name in (id_column,) if id_column else ID_COLUMNS:
        if name in alerts.names:
            return name
    if id_column:
        raise OutputError(
            Reason.COLUMN_MISSING,
            f"source.idColumn is {id_column}, which the alerts do not have. {choices(id_column, alerts.names)} Correct it.",
        )
    raise OutputError(
        Reason.COLUMN_MISSING,
        f"The alerts have none of the columns {', '.join(ID_COLUMNS)} to identify them by. {choices('', alerts.names)} "
        "Name one in source.idColumn.",
    )


def published(output: Output, alerts: StructType) -> tuple[str, ...]:
    """The columns that the output publishes: those of `select` in its order, else in the order of their names.

    The alerts' own order is the first file's of a batch, so the same columns would give now one schema and now another.
    Raises OutputError: ColumnMissing for a selected, dropped or renamed column that is not there (a mistyped `drop` would
    publish what it was to keep back), EncodingFailed when none is left.
    """
    renamed = tuple(column for column, _ in output.rename)
    for option, mentioned in (("select", output.select or ()), ("drop", output.drop), ("rename", renamed)):
        for name in mentioned:
            if name not in alerts.names:
                raise OutputError(
                    Reason.COLUMN_MISSING,
                    f"The output's {option} names the column {name}, which the alerts do not have. "
                    f"{choices(name, alerts.names)} Correct it.",
                )
    chosen = output.select if output.select is not None else tuple(sorted(alerts.names))
    left = tuple(name for name in chosen if name not in output.drop)
    if not left:
        raise OutputError(Reason.ENCODING_FAILED, "The output's select and drop leave no column. Keep at least one.")
    return left


def published_names(output: Output, columns: tuple[str, ...]) -> tuple[str, ...]:
    """What the columns that the output publishes are called in its messages.

    Raises OutputError: ColumnMissing for a renamed column that is not published, EncodingFailed for a name that two columns have.
    """
    new = dict(output.rename)
    for column in new:
        if column not in columns:
            option = "drop" if column in output.drop else "select"
            raise OutputError(
                Reason.COLUMN_MISSING,
                f"The output's rename names the column {column}, which its {option} leaves out. Take it out of one of the two.",
            )
    # Spark finds a field whatever the case of its letters, so two names that differ only there are one.
    taken: dict[str, str] = {}
    for column in columns:
        name = new.get(column, column)
        other = taken.setdefault(name.casefold(), column)
        if other != column:
            raise OutputError(
                Reason.ENCODING_FAILED,
                f"The columns {other} and {column} would both be called {name}. Rename one of them otherwise, or leave it out.",
            )
    return tuple(new.get(column, column) for column in columns)


def _renamed(alerts: StructType, columns: tuple[str, ...], names: tuple[str, ...]) -> StructType:
    fields = [alerts[column] for column in columns]
    return StructType(
        [StructField(name, field.dataType, field.nullable) for name, field in zip(names, fields, strict=True)]
    )
