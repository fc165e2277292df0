"""The schemas of topics: which ones their messages have had, and whether another one may follow."""

from __future__ import annotations

import json
from pathlib import Path

from distribution_job import compatibility, durable_json
from distribution_job.avro_schema import AvroSchema
from distribution_job.failures import OutputError, Reason
from distribution_job.outputs import Compatibility, Format, Output
from distribution_job.registry import Registry


class Schemas:
    """One JSON file per topic in `folder`, so that a restart knows what readers have seen. Used by one thread at a time."""

    def __init__(self, folder: Path, registry: Registry | None = None) -> None:
        """`registry`: gives the ids that messages of the format Confluent need."""
        self._folder = folder
        self._registry = registry
        self._known: dict[str, list[str]] = {}
        self._ids: dict[str, dict[str, str]] = {}  # of topics: the schemas, by the ids that outputs have given them
        self._shown: dict[Path, str] = {}

    def admit(self, output: Output, schema: AvroSchema) -> int | None:
        """See that messages of the output's topic may have this schema; nothing is remembered here yet.

        Returns its id, if the output's format has one: the registry's, or the output's own.
        Raises OutputError (SchemaIncompatible, RegistryUnavailable).
        """
        earlier = self._earlier(output.topic)
        if schema.text not in earlier:
            self._compare(output, schema, earlier)
        if output.format is Format.CONFLUENT and self._registry is not None:
            return self._registry.identify(output.topic, schema)
        if (
            output.schema_id is not None
            and self._ids[output.topic].get(str(output.schema_id), schema.text) != schema.text
        ):
            raise OutputError(
                Reason.SCHEMA_INCOMPATIBLE,
                f"The alerts have another schema than the one that has the id {output.schema_id} in the topic {output.topic}, and readers would "
                "take it for that. Publish the columns as they were (select, drop, rename), or give the new schema an id of its own with "
                "schemaId. The files wait.",
            )
        return output.schema_id

    def _compare(self, output: Output, schema: AvroSchema, earlier: list[str]) -> None:
        problem = compatibility.broken(schema.text, earlier, output.compatibility)
        if problem:
            raise OutputError(
                Reason.SCHEMA_INCOMPATIBLE,
                f"The alerts have another schema than those in the topic {output.topic}, where compatibility is {output.compatibility}: "
                f"{problem}. Publish the columns as they were (select, drop, rename), or to another topic; or set the output's "
                "compatibility to None, with which the topic begins anew. The files wait.",
            )

    def note(self, output: Output, schema: AvroSchema) -> None:
        """Remember, on disk, that messages of the output's topic are about to have this schema; and write it to the output's file."""
        earlier = self._earlier(output.topic)
        if schema.text not in earlier:
            # Who asks for no compatibility breaks with what was before, so later schemas are not held against it.
            kept = [] if output.compatibility is Compatibility.NONE else earlier
            self._write(output.topic, [*kept, schema.text], self._ids[output.topic])
        ids = self._ids[output.topic]
        if output.schema_id is not None and str(output.schema_id) not in ids:
            self._write(output.topic, self._known[output.topic], {**ids, str(output.schema_id): schema.text})
        if output.schema_file is not None and self._shown.get(output.schema_file) != schema.text:
            durable_json.write(output.schema_file, json.loads(schema.text))
            self._shown[output.schema_file] = schema.text

    def _earlier(self, topic: str) -> list[str]:
        if topic not in self._known:
            document = durable_json.read(self._place(topic))
            self._known[topic] = document["schemas"] if document is not None else []
            self._ids[topic] = document.get("ids", {}) if document is not None else {}
        return self._known[topic]

    def _write(self, topic: str, schemas: list[str], ids: dict[str, str]) -> None:
        durable_json.write(self._place(topic), {"topic": topic, "schemas": schemas, **({"ids": ids} if ids else {})})
        self._known[topic], self._ids[topic] = schemas, ids

    def _place(self, topic: str) -> Path:
        return self._folder / f"{durable_json.file_name(topic)}.json"
