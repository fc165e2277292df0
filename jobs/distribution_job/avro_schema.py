"""The Avro schema of alerts, derived from their Spark schema.

The same columns always give the same bytes: a consumer may key a cache of parsed schemas on them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from fastavro.schema import SchemaParseException, fingerprint, parse_schema, to_parsing_canonical_form
from pyspark.sql import types as spark

from distribution_job.failures import OutputError, Reason

NAMESPACE = "fink"
RECORD = "alert"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")

# The pairs that Spark's AvroSerializer accepts for a given schema (connector/avro, Spark 4.1).
_PLAIN: dict[type[spark.DataType], Any] = {
    spark.BooleanType: "boolean",
    spark.ByteType: "int",
    spark.ShortType: "int",
    spark.IntegerType: "int",
    spark.LongType: "long",
    spark.FloatType: "float",
    spark.DoubleType: "double",
    spark.BinaryType: "bytes",
    spark.DateType: {"type": "int", "logicalType": "date"},
    spark.TimestampType: {"type": "long", "logicalType": "timestamp-micros"},
    spark.TimestampNTZType: {"type": "long", "logicalType": "local-timestamp-micros"},
}


@dataclass(frozen=True)
class AvroSchema:
    """A schema as compact JSON, its full name, and its CRC-64-AVRO fingerprint in hexadecimal."""

    text: str
    name: str
    fingerprint: str

    @property
    def document(self) -> dict[str, Any]:
        """The schema decoded."""
        loaded: dict[str, Any] = json.loads(self.text)
        return loaded


def derive(columns: spark.StructType) -> AvroSchema:
    """The schema of a record with these columns.

    A record below it is named after its way down (`alert_candidate`), hence unique and stable.
    Raises OutputError (EncodingFailed) for a name or a type that Avro does not have.
    """
    schema = _Derivation().record(columns, RECORD, "")
    schema["namespace"] = NAMESPACE
    ordered = {key: schema[key] for key in ("type", "name", "namespace", "fields")}
    text = json.dumps(ordered, separators=(",", ":"), ensure_ascii=False)
    return AvroSchema(text, f"{NAMESPACE}.{RECORD}", _fingerprint(json.loads(text)))


def read(text: str) -> AvroSchema:
    """The schema of a file that an output's `schemaFile` names.

    Raises ValueError when the text is no Avro schema of a record.
    """
    document = json.loads(text)
    if not isinstance(document, dict) or document.get("type") != "record" or not {"name", "fields"} <= document.keys():
        raise ValueError("it is not the schema of a record")
    try:
        mark = _fingerprint(document)
    except SchemaParseException as error:
        raise ValueError(str(error)) from error
    return AvroSchema(text, f"{document.get('namespace', '')}.{document['name']}".lstrip("."), mark)


def _fingerprint(document: dict[str, Any]) -> str:
    return str(fingerprint(to_parsing_canonical_form(parse_schema(document)), "CRC-64-AVRO"))


class _Derivation:
    def __init__(self) -> None:
        self._taken: set[str] = set()

    def record(self, struct: spark.StructType, name: str, way: str) -> dict[str, Any]:
        unique = self._unique(name)
        if not struct.fields:
            raise _refused(way or "the alert", "has no fields, and an Avro record needs one")
        fields = []
        # Below the alert in the order of names, since files may differ there; Spark's encoder goes by name.
        for field in sorted(struct.fields, key=lambda field: field.name) if way else struct.fields:
            below = f"{way}.{field.name}" if way else field.name
            if not _NAME.match(field.name):
                raise _refused(
                    below, "has a name that Avro does not allow: it takes letters, digits and _, and no digit first"
                )
            entry: dict[str, Any] = {"name": field.name}
            kind = self.type(field.dataType, f"{name}_{field.name}", below)
            entry["type"] = ["null", kind] if field.nullable else kind
            if field.nullable:
                entry["default"] = None  # so that a reader whose schema has the field can read alerts that lack it
            fields.append(entry)
        return {"type": "record", "name": unique, "fields": fields}

    def type(self, kind: spark.DataType, name: str, way: str) -> Any:
        if isinstance(kind, spark.StructType):
            return self.record(kind, name, way)
        if isinstance(kind, spark.ArrayType):
            element = self.type(kind.elementType, name, f"{way}[]")
            return {"type": "array", "items": ["null", element] if kind.containsNull else element}
        if isinstance(kind, spark.MapType):
            if not isinstance(kind.keyType, spark.StringType):
                raise _refused(way, f"is a map with keys of type {kind.keyType.simpleString()}; Avro's are strings")
            value = self.type(kind.valueType, name, f"{way}{{}}")
            return {"type": "map", "values": ["null", value] if kind.valueContainsNull else value}
        if isinstance(kind, spark.DecimalType):
            return {"type": "bytes", "logicalType": "decimal", "precision": kind.precision, "scale": kind.scale}
        if isinstance(kind, (spark.StringType, spark.CharType, spark.VarcharType)):
            return "string"
        if type(kind) in _PLAIN:
            return _PLAIN[type(kind)]
        raise _refused(way, f"is of type {kind.simpleString()}, which has no Avro form here")

    def _unique(self, name: str) -> str:
        # `a_b` below the alert and `b` below `a` would both be alert_a_b.
        unique, number = name, 2
        while unique in self._taken:
            unique, number = f"{name}_{number}", number + 1
        self._taken.add(unique)
        return unique


def _refused(way: str, problem: str) -> OutputError:
    return OutputError(
        Reason.ENCODING_FAILED,
        f"The column {way or repr(way)} {problem}. Leave its top-level column out with select or drop, or give it another name with "
        "rename or, if it is nested, where the alerts are written.",
    )
