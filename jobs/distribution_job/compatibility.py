"""Whether those who read a topic can go on when its messages get another schema: Avro's rules, in the modes of Confluent's registry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from avro.compatibility import ReaderWriterCompatibilityChecker, SchemaCompatibilityType
from avro.schema import ArraySchema, MapSchema, RecordSchema, Schema, UnionSchema
from avro.schema import parse as parse_schema

from distribution_job.outputs import Compatibility

_FORWARD = {Compatibility.FORWARD, Compatibility.FORWARD_TRANSITIVE, Compatibility.FULL, Compatibility.FULL_TRANSITIVE}
_BACKWARD = {
    Compatibility.BACKWARD,
    Compatibility.BACKWARD_TRANSITIVE,
    Compatibility.FULL,
    Compatibility.FULL_TRANSITIVE,
}
_TRANSITIVE = {Compatibility.BACKWARD_TRANSITIVE, Compatibility.FORWARD_TRANSITIVE, Compatibility.FULL_TRANSITIVE}


@dataclass(frozen=True)
class _Difference:
    """What is written at `way` (nothing: None) cannot be read there."""

    way: str
    read: str
    written: str | None


def broken(schema: str, earlier: Sequence[str], mode: Compatibility) -> str:
    """What breaks the promise of `mode`, for people; empty when nothing does.

    Forward: who has the earlier schema can read messages of this one. Backward: who has this one can read earlier messages.
    Full: both. Transitive: so of all earlier schemas, and not of the last alone.

    Parameters
    ----------
    earlier
        The schemas that messages have had, the oldest first, each as JSON.
    """
    new = _parsed(schema)
    for text in reversed(earlier if mode in _TRANSITIVE else earlier[-1:]):
        old = _parsed(text)
        found = [_forward(each) for each in _differences(old, new, "")] if mode in _FORWARD else []
        found += [_backward(each) for each in _differences(new, old, "")] if mode in _BACKWARD else []
        if found:
            return "; ".join(found)
    return ""


def _forward(found: _Difference) -> str:
    if found.written is None:
        return f"{found.way} is gone, and those who read by an earlier schema need it ({found.read} without a default)"
    return f"{found.way} is {found.written}, and was {found.read}, as which earlier readers cannot take it"


def _backward(found: _Difference) -> str:
    if found.written is None:
        return f"{found.way} is new, and earlier messages lack it ({found.read} without a default)"
    return (
        f"{found.way} is {found.read}, and was {found.written}, so that earlier messages cannot be read by this schema"
    )


def _differences(reader: Schema, writer: Schema, way: str) -> Iterator[_Difference]:
    """The innermost parts that cannot be read. The verdict is the library's, which does not say where."""
    checker = ReaderWriterCompatibilityChecker()
    if checker.get_compatibility(reader, writer).compatibility is SchemaCompatibilityType.compatible:
        return
    inner = list(_below(_value(reader), _value(writer), way))
    yield from inner or [_Difference(way or "the alert", _told(reader), _told(writer))]


def _below(reader: Schema, writer: Schema, way: str) -> Iterator[_Difference]:
    if isinstance(reader, RecordSchema) and isinstance(writer, RecordSchema):
        written = {field.name: field for field in writer.fields}
        for field in reader.fields:
            name = f"{way}.{field.name}" if way else field.name
            if field.name in written:
                yield from _differences(field.type, written[field.name].type, name)
            elif not field.has_default:
                yield _Difference(name, _told(field.type), None)
    elif isinstance(reader, ArraySchema) and isinstance(writer, ArraySchema):
        yield from _differences(reader.items, writer.items, f"{way}[]")
    elif isinstance(reader, MapSchema) and isinstance(writer, MapSchema):
        yield from _differences(reader.values, writer.values, f"{way}{{}}")


def _value(schema: Schema) -> Schema:
    """Of a type that may be null, the type."""
    if isinstance(schema, UnionSchema):
        others = [branch for branch in schema.schemas if branch.type != "null"]
        return others[0] if len(others) == 1 else schema
    return schema


def _told(schema: Schema) -> str:
    if isinstance(schema, UnionSchema):
        names = [_told(branch) for branch in schema.schemas if branch.type != "null"]
        return " or ".join([*names, *(["null"] if len(names) < len(schema.schemas) else [])])
    logical: Any = schema.props.get("logicalType")
    return str(logical or schema.type)


@lru_cache(maxsize=64)
def _parsed(text: str) -> Any:
    return parse_schema(text)
