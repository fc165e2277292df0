"""The schema that the distribution writes for local readers (`schemaFile`), read again when it has changed."""

from __future__ import annotations

from pathlib import Path

from distribution_job import avro_schema
from distribution_job.avro_schema import AvroSchema


class StoredSchema:
    """The schema in one file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._known: tuple[str, AvroSchema] | None = None

    def read(self) -> AvroSchema | None:
        """The schema as the file has it now; None while there is no file.

        Raises ValueError, with what to do, when the file holds none.
        """
        try:
            text = self.file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{self.file} cannot be read: {error}") from error
        if self._known is None or self._known[0] != text:
            try:
                self._known = text, avro_schema.read(text)
            except ValueError as error:
                raise ValueError(
                    f"{self.file} holds no Avro schema: {error}. Remove it and start the distribution anew: it writes the file with the next alerts."
                ) from error
        return self._known[1]
