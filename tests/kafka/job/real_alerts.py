"""Real alerts in Avro as tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa


def avro(file: Path) -> tuple[list[dict[str, Any]], Any]:
    """The alerts of a file, and their schema."""
    with file.open("rb") as handle:
        reader = fastavro.reader(handle)
        return [alert for alert in reader if isinstance(alert, dict)], reader.writer_schema


def arrow_schema(avro: Any) -> pa.Schema:
    """The columns of alerts of this Avro schema, each as wide as it is, so that nothing is lost."""
    return pa.schema([(field["name"], _arrow(field["type"])) for field in avro["fields"]])


def _arrow(avro: Any) -> pa.DataType:
    """An Avro type as Arrow's, as wide as it is, so that nothing is lost before the job."""
    if isinstance(avro, list):
        [kind] = [kind for kind in avro if kind != "null"]
        return _arrow(kind)
    if isinstance(avro, dict):
        if avro.get("logicalType") == "timestamp-micros":
            return pa.timestamp("us", tz="UTC")
        if avro["type"] == "record":
            return pa.struct([(field["name"], _arrow(field["type"])) for field in avro["fields"]])
        if avro["type"] == "array":
            return pa.list_(_arrow(avro["items"]))
        if avro["type"] == "map":
            return pa.map_(pa.string(), _arrow(avro["values"]))
        return _arrow(avro["type"])
    names = {
        "boolean": pa.bool_(),
        "int": pa.int32(),
        "long": pa.int64(),
        "float": pa.float32(),
        "double": pa.float64(),
        "string": pa.string(),
        "bytes": pa.binary(),
    }
    return names[avro]
