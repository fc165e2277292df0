"""Columns that come, go, or change their type, said once each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from pyspark.sql.types import ArrayType, DataType, StructType

from distribution_job import durable_json

_NAMES_SAID = 10


class Drift:
    """Remembers on disk which columns the alerts have had, of which types, so that neither a restart nor old files repeat a note."""

    def __init__(self, file: Path, note: Callable[[str], None]) -> None:
        self._file = file
        self._note = note
        self._lock = threading.Lock()
        document = durable_json.read(file)
        # Of each column all types that it has had, the newest last; None: it was not there.
        self._known: dict[str, list[str | None]] = document["columns"] if document is not None else {}

    def look(self, schema: StructType) -> None:
        """Compare the alerts that are about to be distributed with those before."""
        now = dict(columns(schema))
        with self._lock:
            if not self._known:
                self._remember({name: [kind] for name, kind in now.items()})
                return
            changes = dict(self._changes(now))
            if not changes:
                return
            known = {name: list(kinds) for name, kinds in self._known.items()}
            for name in changes:
                known.setdefault(name, [None]).append(now.get(name))
            self._remember(known)
        # A struct that is new says enough of its fields.
        said = [text for name, text in changes.items() if "." not in name or name.rpartition(".")[0] not in changes]
        more = f"; and {len(said) - _NAMES_SAID} more" if len(said) > _NAMES_SAID else ""
        self._note(f"The alerts' columns have changed: {'; '.join(said[:_NAMES_SAID])}{more}.")

    def _changes(self, now: dict[str, str]) -> Iterator[tuple[str, str]]:
        for name in sorted({*now, *self._known}):
            kind, had = now.get(name), self._known.get(name, [None])
            if kind in had:
                continue
            if kind is None:
                yield name, f"{name} is not there any more"
            elif had[-1] is None:
                yield name, f"{name} ({kind}) is new"
            else:
                yield name, f"{name} was {had[-1]} and is {kind}"

    def _remember(self, known: dict[str, list[str | None]]) -> None:
        durable_json.write(self._file, {"columns": known})
        self._known = known


def columns(schema: StructType, above: str = "") -> Iterator[tuple[str, str]]:
    """All columns, those of structs and of arrays of structs too: `candidate.magpsf`, and their types."""
    for field in schema.fields:
        name = f"{above}{field.name}"
        inner = _inner(field.dataType)
        if inner is None:
            yield name, field.dataType.simpleString()
        else:
            yield name, "array" if isinstance(field.dataType, ArrayType) else "struct"
            yield from columns(inner, f"{name}.")


def _inner(kind: DataType) -> StructType | None:
    kind = kind.elementType if isinstance(kind, ArrayType) else kind
    return kind if isinstance(kind, StructType) else None
