"""From a message of Kafka's to alerts, in each of the forms that the distribution job writes."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import fastavro

FORMAT_HEADER = "_format"
_LONGEST_REASON = 200


class DecodingError(Exception):
    """The message is no alert that can be read."""


def alerts(key: bytes | None, value: bytes | None, headers: Mapping[str, bytes | None]) -> list[dict[str, Any]]:
    """The alerts of a message: one, or all records of an Avro file.

    Raises
    ------
    DecodingError
        The message is not what its header `_format` says, or, without one, what its key says.
    """
    named = headers.get(FORMAT_HEADER)
    form = "" if named is None else named.decode(errors="replace")
    if form not in _DECODERS:
        raise DecodingError(
            f"its header {FORMAT_HEADER} is {form!r}; known are avro and json, and none for a schema in the key"
        )
    if not value:
        raise DecodingError("it is empty")
    try:
        found = _DECODERS[form](key or b"", value)
    except Exception as error:  # broken bytes make the reader of Avro raise whatever they lead it to
        said = " ".join(f"{type(error).__name__}: {error}".split())[:_LONGEST_REASON]
        raise DecodingError(f"it is not what its {'key' if not form else f'format {form}'} says ({said})") from error
    if not all(isinstance(alert, dict) for alert in found):
        raise DecodingError("it holds something else than an alert's fields")
    return found


def _schema_in_key(key: bytes, value: bytes) -> list[Any]:
    data = io.BytesIO(value)
    found = fastavro.schemaless_reader(data, _schema(key), None)
    if data.read(1):
        raise ValueError("bytes are left over")
    return [found]


def _container(key: bytes, value: bytes) -> list[Any]:
    return list(fastavro.reader(io.BytesIO(value)))


def _json(key: bytes, value: bytes) -> list[Any]:
    return [json.loads(value)]


@lru_cache(maxsize=64)
def _schema(key: bytes) -> Any:
    return fastavro.parse_schema(json.loads(key))


_DECODERS: dict[str, Callable[[bytes, bytes], list[Any]]] = {
    "": _schema_in_key,
    "avro": _container,
    "json": _json,
}
