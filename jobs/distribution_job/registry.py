"""Schemas and their ids in a registry of Confluent's REST API, for messages that name their schema by its id."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import quote

import requests

from distribution_job import config
from distribution_job.avro_schema import AvroSchema
from distribution_job.failures import Failure, OutputError, Reason, one_line
from job_settings import kafka

_SECONDS = 5.0  # that a call may take, to connect and to answer
_PAUSE_SECONDS = 5.0
_HEADERS = {
    "Content-Type": "application/vnd.schemaregistry.v1+json",
    "Accept": "application/vnd.schemaregistry.v1+json",
}
_LARGEST_ID = 2**31 - 1


class Registry:
    """Registers schemas under the subject TOPIC-value, and remembers their ids as long as the driver lives.

    While the registry is away it is asked once in some seconds only, so that many outputs do not wait for it one after the other.
    """

    def __init__(self, settings: config.Registry, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._ids: dict[tuple[str, str], int] = {}
        self._schemas: dict[int, str] = {}
        self._away: Failure | None = None
        self._ask_again = float("-inf")

    def identify(self, topic: str, schema: AvroSchema) -> int:
        """The id of the schema of a topic's messages.

        Raises OutputError: RegistryUnavailable, or SchemaIncompatible when the registry's own rules forbid the schema.
        """
        key = topic, schema.text
        if key not in self._ids:
            if self._away is not None and self._clock() < self._ask_again:
                raise OutputError(self._away.reason, self._away.message)
            try:
                self._ids[key] = self._register(f"{topic}-value", schema.text)
                self._away = None
            except OutputError as error:
                if error.failure.reason is Reason.REGISTRY_UNAVAILABLE:
                    self._away, self._ask_again = error.failure, self._clock() + _PAUSE_SECONDS
                raise
        return self._ids[key]

    def schema(self, number: int) -> str | None:
        """The schema of this id, as JSON; None when there is none. Raises OutputError (RegistryUnavailable)."""
        if number not in self._schemas:
            answer = self._call("GET", f"schemas/ids/{number}")
            if answer.status_code == requests.codes.not_found:
                return None
            try:
                answer.raise_for_status()
                self._schemas[number] = str(answer.json()["schema"])
            except (requests.RequestException, ValueError, KeyError, TypeError):
                said = one_line(answer.text, 300)
                raise self._unavailable(f"does not give schema {number} (HTTP {answer.status_code}): {said}") from None
        return self._schemas[number]

    def _register(self, subject: str, schema: str) -> int:
        settings = self._settings
        answer = self._call("POST", f"subjects/{quote(subject, safe='')}/versions", {"schema": schema})
        if answer.status_code == requests.codes.conflict:
            raise OutputError(
                Reason.SCHEMA_INCOMPATIBLE,
                f"The registry at {settings.url} refuses another schema for the subject {subject}: {one_line(answer.text, 500)}. Publish the "
                "columns as they were (select, drop, rename), or to another topic; or change the subject's compatibility there, and "
                "restart the stream. The files wait.",
            )
        if answer.status_code in (requests.codes.unauthorized, requests.codes.forbidden):
            raise self._unavailable(
                f"refuses the login (HTTP {answer.status_code}); it needs to register schemas for {subject}. Correct the credentials "
                "or their rights"
            )
        try:
            answer.raise_for_status()
            number = answer.json()["id"]
        except (requests.RequestException, ValueError, KeyError, TypeError):
            said = one_line(answer.text, 300)
            raise self._unavailable(f"does not register {subject} (HTTP {answer.status_code}): {said}") from None
        if not isinstance(number, int) or not 0 <= number <= _LARGEST_ID:
            raise self._unavailable(f"gives {subject} an id that is none: {one_line(repr(number), 100)}")
        return number

    def _call(self, method: str, path: str, document: dict[str, str] | None = None) -> requests.Response:
        settings = self._settings
        try:
            return requests.request(
                method,
                f"{settings.url.rstrip('/')}/{path}",
                json=document,
                headers=_HEADERS,
                auth=self._login(),
                verify=str(settings.ca_file) if settings.ca_file is not None else True,
                timeout=_SECONDS,
                allow_redirects=False,
            )
        except (requests.RequestException, OSError) as error:  # an authority's file that is not there is an OSError
            raise self._unavailable(f"does not answer: {error}") from error

    def _login(self) -> tuple[str, str] | None:
        """Read anew each time: the files may have been renewed."""
        folder = self._settings.credentials_directory
        if folder is None:
            return None
        try:
            return kafka.login(folder)
        except (OSError, UnicodeDecodeError) as error:
            raise self._unavailable(f"cannot be asked, because its credentials cannot be read: {error}") from error

    def _unavailable(self, said: str) -> OutputError:
        return OutputError(
            Reason.REGISTRY_UNAVAILABLE,
            f"The schema registry at {self._settings.url} {one_line(said, 600)}. The alerts wait, and it is tried again.",
        )
