"""The Avro schema of a message, wherever its format has it: in the key, in the value, or in a registry. Pure but for the registry."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import fastavro
import requests
from fastavro.schema import fingerprint, parse_schema, to_parsing_canonical_form

from fink_distribution.kafka.newest import Message

_MAGIC = b"\0"
_ID_BYTES = 4


class NoSchemaError(Exception):
    """The message has no schema, or it cannot be had; says what to do."""


@dataclass(frozen=True)
class FoundSchema:
    """A schema as its JSON document, the format that has it so, and its CRC-64-AVRO in hexadecimal."""

    document: Any
    format: str
    fingerprint: str


def schema_of(message: Message, ask: Callable[[int], str]) -> FoundSchema:
    """Find a message's schema.

    Parameters
    ----------
    ask
        Gives the schema of an id in a registry.

    Raises
    ------
    NoSchemaError
        It has none, or none that is known here.
    """
    where = f"The message at {message.topic}[{message.partition}]@{message.offset}"
    if message.headers.get("_format") == b"json":
        raise NoSchemaError(f"{where} is JSON, which has no schema. Its fields are those of the stream's output.")
    if message.headers.get("_format") == b"avro":
        try:
            text, form = fastavro.reader(io.BytesIO(message.value)).metadata["avro.schema"], "ObjectContainer"
        except (ValueError, EOFError, KeyError) as error:
            raise NoSchemaError(f"{where} says that it is an Avro file, and is none ({error}).") from error
    elif message.key.startswith(b"{"):
        text, form = message.key.decode(errors="replace"), "SchemaInKey"
    elif message.value.startswith(_MAGIC) and len(message.value) > _ID_BYTES:
        number = int.from_bytes(message.value[1 : 1 + _ID_BYTES])
        text, form = ask(number), f"Confluent, id {number}"
    else:
        raise NoSchemaError(f"{where} is in none of the formats SchemaInKey, ObjectContainer and Confluent.")
    try:
        document = json.loads(text)
        canonical = to_parsing_canonical_form(parse_schema(json.loads(text)))
    except Exception as error:
        raise NoSchemaError(f"{where} has a schema that is none: {error}") from error
    return FoundSchema(document, form, fingerprint(canonical, "CRC-64-AVRO"))


def from_registry(url: str, number: int, login: str | None, ca_file: str | None, timeout: float) -> str:
    """Ask a registry of Confluent's REST API for the schema of an id.

    Parameters
    ----------
    login
        USER:PASSWORD.

    Raises
    ------
    NoSchemaError
        It does not answer, or does not know the id.
    """
    user, _, password = (login or "").partition(":")
    try:
        answer = requests.get(
            f"{url.rstrip('/')}/schemas/ids/{number}",
            auth=(user, password) if login else None,
            verify=ca_file or True,
            timeout=timeout,
        )
        answer.raise_for_status()
        return str(answer.json()["schema"])
    except (requests.RequestException, OSError, KeyError, ValueError) as error:
        raise NoSchemaError(f"The registry at {url} does not give the schema of the id {number}: {error}") from error
