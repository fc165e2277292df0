"""Documents that cannot be used: each field missing, each of the wrong type, and what somebody may have written on purpose.

Whatever is wrong, the message names the field, stands in one line of a readable length, and tells no password.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from job_documents import DOCUMENT, changed

from distribution_job import config
from job_settings.documents import ConfigError

FULL: dict[str, Any] = {
    **DOCUMENT,
    "registry": {"url": "https://registry:8081", "credentialsDirectory": "/login", "caFile": "/ca.pem"},
    "kafka": {**DOCUMENT["kafka"], "securityProtocol": "SASL_SSL", "caFile": "/ca.pem", "verifyHostname": True},
    "delivery": {"guarantee": "ExactlyOnce", "transactionalId": "astro.ztf"},
    "nightBeginsAtHour": 18,
    "outputs": [
        {
            "name": "all",
            "topic": "t-all",
            "filter": {"python": "fink_filters.a.b", "timeoutSeconds": 10},
            "select": ["a", "b"],
            "drop": ["c"],
            "rename": {"a": "x"},
            "format": "Json",
            "compatibility": "None",
            "schemaFile": "/schema.json",
            "maxMatchPercent": 5,
            "maxAlertsPerBatch": 10,
            "maxBytesPerNight": 1000,
        },
        {"name": "sn", "topic": "t-sn", "filter": {"sql": "a > 1"}},
    ],
    "progress": {"to": "log", "intervalSeconds": 5},
}
SOURCES: dict[str, dict[str, Any]] = {
    "parquet": {"path": "/data", "maxFilesPerBatch": 5, "idColumn": "candid", "startingFrom": "Latest"},
    "delta": {"delta": {"path": "/t", "maxFilesPerBatch": 5, "skipChanges": True}},
    "iceberg": {"iceberg": {"path": "/t", "maxRowsPerBatch": 5, "skipChanges": True}},
    "jdbc": {
        "jdbc": {
            "url": "jdbc:postgresql://db:5432/x",
            "table": "a",
            "cursorColumn": "t",
            "keyColumns": ["id"],
            "lateWithin": 3,
            "maxRowsPerBatch": 5,
            "credentialsDirectory": "/login",
            "caFile": "/ca.pem",
        }
    },
    "kafka": {"kafka": {"topic": "in", "format": "Avro", "schema": "{}", "maxRowsPerBatch": 5}},
}
Place = tuple[str | int, ...]


def full(source: str) -> dict[str, Any]:
    return copy.deepcopy({**FULL, "source": {"type": source, **SOURCES[source]}})


def problems(document: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config.parse(document)
    found = caught.value.problems
    assert all(text.isprintable() and len(text) <= 700 for text in found), found
    return found


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Where values stand in a document, the containers too."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*place, key)
        yield from places(one, (*place, key))


def said(place: Place) -> str:
    """As messages name it: `outputs[0].filter`."""
    steps = (f"[{step!r}]" if isinstance(step, int) or "." in step else f".{step}" for step in place)
    return "".join(steps).removeprefix(".")


def at(document: Any, place: Place) -> Any:
    for step in place:
        document = document[step]
    return document


def required(schema: dict[str, Any], place: Place) -> list[str]:
    """The fields that the schema wants at a place."""
    for step in place:
        schema = schema["items"] if isinstance(step, int) else schema["properties"][step]
    return list(schema.get("required", ()))


LACKING = [
    (source, place, name)
    for source in SOURCES
    for place in [(), *places(full(source))]
    if isinstance(at(full(source), place), dict) and place[-1:] not in (("rename",), ("conf",))
    for name in required(config.schema(), place)
    if source == "parquet" or place[:1] == ("source",)
]
VALUES = [
    (source, place)
    for source in SOURCES
    for place in places(full(source))
    if source == "parquet" or place[:1] == ("source",)
]


def test_the_full_documents_are_good() -> None:
    for source in SOURCES:
        config.parse(full(source))


@pytest.mark.parametrize(
    ("source", "place", "name"), LACKING, ids=lambda value: said(value) if type(value) is tuple else value
)
def test_a_field_that_is_missing_is_named(source: str, place: Place, name: str) -> None:
    document = full(source)
    del at(document, place)[name]
    assert f"{said(place) or 'the document'}: lacks {name}. Add it." in problems(document)


@pytest.mark.parametrize(("source", "place"), VALUES, ids=lambda value: said(value) if type(value) is tuple else value)
def test_a_value_of_another_type_is_refused_by_its_field(source: str, place: Place) -> None:
    right = at(full(source), place)
    for wrong in (None, True, 3.5, "§", ["§"], {"§": "§"}, "x" * 100_000):
        document = full(source)
        if type(wrong) is type(right) or (place == ("nightBeginsAtHour",) and wrong == 3.5):
            continue
        if isinstance(wrong, str) and isinstance(right, str):
            continue
        at(document, place[:-1])[place[-1]] = wrong
        assert any(text.startswith(f"{said(place)}: ") for text in problems(document)), wrong


HOSTILE: list[tuple[dict[str, Any], str]] = [
    # Names that would be read as something else further on.
    ({"outputs__0__topic": "../../etc/passwd"}, "outputs[0].topic: '../../etc/passwd' is not allowed"),
    ({"outputs__0__topic": ".."}, "outputs[0].topic: '..' is not allowed"),
    ({"outputs__0__topic": "."}, "outputs[0].topic: '.' is not allowed"),
    ({"outputs__0__topic": ""}, "outputs[0].topic: '' is not allowed"),
    ({"outputs__0__topic": "t-all\n"}, r"outputs[0].topic: 't-all\n' is not allowed"),
    ({"outputs__0__topic": "t\nWARN all is well"}, "outputs[0].topic: "),
    ({"outputs__0__topic": "tópico"}, "outputs[0].topic: 'tópico' is not allowed"),
    ({"outputs__0__topic": "t" * 250}, "outputs[0].topic: "),
    ({"outputs__0__name": "all\n2026 ERROR"}, r"outputs[0].name: 'all\n2026 ERROR' is not allowed"),
    ({"outputs__0__name": "\x00"}, "outputs[0].name: "),
    ({"outputs__0__name": "\ud800"}, "outputs[0].name: "),
    ({"outputs__0__name": "n" * 64}, "outputs[0].name: "),
    ({"stream__name": "ztf\r\n"}, "stream.name: "),
    ({"stream__namespace": ""}, "stream.namespace: "),
    ({"delivery": {"transactionalId": "id\x1b[31m"}}, "delivery.transactionalId: "),
    ({"source": {"type": "kafka", "kafka": {"topic": "../in"}}}, "source.kafka.topic: '../in' is not allowed"),
    # Code where a name belongs.
    (
        {"outputs__0__filter": {"python": "os.system('id')"}},
        "outputs[0].filter.python: \"os.system('id')\" is not allowed",
    ),
    ({"outputs__0__filter": {"python": "__import__('os').system"}}, "outputs[0].filter.python: "),
    ({"outputs__0__filter": {"python": "../filters.f"}}, "outputs[0].filter.python: '../filters.f' is not allowed"),
    ({"outputs__0__filter": {"python": "fink_filters.a.b\n"}}, r"outputs[0].filter.python: 'fink_filters.a.b\n' is"),
    ({"outputs__0__filter": {"python": "lambda"}}, "outputs[0].filter.python: 'lambda' is not allowed"),
    ({"outputs__0__filter": {"sql": ""}}, "outputs[0].filter.sql: "),
    ({"outputs__0__filter": {}}, "outputs[0].filter: "),
    ({"outputs__0__filter": {"sql": "a", "timeoutSeconds": 5}}, "outputs[0].filter: timeoutSeconds belongs to python"),
    ({"outputs__0__filter": {"timeoutSeconds": 5}}, "outputs[0].filter: timeoutSeconds belongs to python"),
    ({"outputs__0__filter": {"scala": "a"}}, "outputs[0].filter: scala is not known here. Allowed: sql"),
    ({"outputs__0__rename": {"ra": "i:ra; DROP"}}, "outputs[0].rename.ra: "),
    ({"outputs__0__rename": {"": "x"}}, "outputs[0].rename: "),
    # Numbers that mean nothing.
    ({"outputs__0__maxMatchPercent": 0}, "outputs[0].maxMatchPercent: 0 is less than the minimum of 1"),
    ({"outputs__0__maxMatchPercent": 101}, "outputs[0].maxMatchPercent: 101 is greater than the maximum of 100"),
    ({"outputs__0__maxAlertsPerBatch": -1}, "outputs[0].maxAlertsPerBatch: -1 is less"),
    ({"outputs__0__maxAlertsPerBatch": 10**40}, "outputs[0].maxAlertsPerBatch: 1000"),
    ({"outputs__0__maxAlertsPerBatch": 5.0}, "outputs[0].maxAlertsPerBatch: 5.0 is not of type 'integer'"),
    ({"outputs__0__maxBytesPerNight": 0}, "outputs[0].maxBytesPerNight: 0 is less"),
    ({"outputs__0__filter": {"python": "a.b", "timeoutSeconds": 0}}, "outputs[0].filter.timeoutSeconds: 0 is less"),
    ({"outputs__0__filter": {"python": "a.b", "timeoutSeconds": 10**9}}, "outputs[0].filter.timeoutSeconds: "),
    ({"trigger__intervalSeconds": float("nan")}, "trigger.intervalSeconds: nan is not of type 'integer'"),
    ({"trigger__intervalSeconds": float("inf")}, "trigger.intervalSeconds: inf is not of type 'integer'"),
    ({"trigger__intervalSeconds": 10**9}, "trigger.intervalSeconds: "),
    ({"source__maxFilesPerBatch": 0}, "source.maxFilesPerBatch: 0 is less"),
    ({"outputs__0__schemaId": -1}, "outputs[0].schemaId: -1 is less"),
    ({"outputs__0__schemaId": 2**31}, "outputs[0].schemaId: 2147483648 is greater"),
    ({"nightBeginsAtHour": 24}, "nightBeginsAtHour: 24 is greater than or equal to"),
    ({"nightBeginsAtHour": -1}, "nightBeginsAtHour: -1 is less"),
    ({"progress__intervalSeconds": 0}, "progress.intervalSeconds: 0 is less"),
    ({"version": 2}, "version: 1 was expected"),
    # Addresses, and logins in them.
    ({"kafka__bootstrapServers": "broker"}, "kafka.bootstrapServers: 'broker' is not allowed"),
    ({"kafka__bootstrapServers": "http://broker:9092"}, "kafka.bootstrapServers: "),
    ({"kafka__bootstrapServers": "me:hunter2@broker:9092"}, "kafka.bootstrapServers: "),
    ({"kafka__bootstrapServers": "broker:9092\nsasl.password=x"}, "kafka.bootstrapServers: "),
    ({"registry": {"url": "https://me:hunter2@r:8081"}}, "registry.url: "),
    ({"registry": {"url": "file:///etc/passwd"}}, "registry.url: 'file:///etc/passwd' is not allowed"),
    ({"registry": {"url": "https://r:8081\n"}}, "registry.url: "),
    (
        {
            "source": {
                "type": "jdbc",
                "jdbc": {**SOURCES["jdbc"]["jdbc"], "url": "jdbc:postgresql://db/x?password=hunter2"},
            }
        },
        "source.jdbc.url: ",
    ),
    (
        {"source": {"type": "jdbc", "jdbc": {**SOURCES["jdbc"]["jdbc"], "table": "a; DROP TABLE a"}}},
        "source.jdbc.table: 'a; DROP TABLE a' is not allowed",
    ),
    (
        {
            "source": {
                "type": "jdbc",
                "jdbc": {**SOURCES["jdbc"]["jdbc"], "credentialsDirectory": {"password": "hunter2"}},
            }
        },
        "source.jdbc.credentialsDirectory: an object is not of type 'string'",
    ),
    ({"kafka__credentialsDirectory": ["hunter2"]}, "kafka.credentialsDirectory: a list is not of type 'string'"),
    ({"checkpoint__path": "hdfs://nn/x"}, "checkpoint.path: hdfs://nn/x is not a folder of a mounted"),
    # Fields that are nearly right, or somebody else's.
    ({"outputs__0__topics": "x"}, "Close to it: topic."),
    ({"outputs__0__maxAlertPerBatch": 5}, "Close to it: maxAlertsPerBatch"),
    ({"Outputs": []}, "Close to it: outputs."),
    ({"kafka__bootstrapServer": "b:1"}, "verifyHostname. Close to it: bootstrapServers."),
    ({"kafka__password": "hunter2"}, "kafka: password is not known here."),
    ({"kafka__a\nb": "x"}, "kafka: a b is not known here."),
    ({"source__type": "csv"}, 'source.type: "csv" is not allowed. Allowed: parquet, delta, iceberg, jdbc, kafka.'),
    ({"outputs": [DOCUMENT["outputs"][0]] * 101}, "outputs: "),
    ({"spark__conf": {"spark.master": "local", "spark.x": 5}}, "spark.conf['spark.x']: 5 is not of type 'string'"),
]


@pytest.mark.parametrize(
    ("places", "expected"), HOSTILE, ids=lambda value: value[:60] if isinstance(value, str) else ""
)
def test_what_is_hostile_or_absurd_is_refused_by_its_field(places: dict[str, Any], expected: str) -> None:
    found = problems(changed(**places))
    assert any(expected in text for text in found), found
    assert "hunter2" not in "\n".join(found)


@pytest.mark.parametrize("document", [None, [], "stream", 5, {}], ids=repr)
def test_what_is_no_document_is_said(document: Any) -> None:
    assert problems(document)[0].startswith("the document: ")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("s.json", '{"version": 1, "version": 2}', "s.json: version stands twice in one object"),
        ("s.json", '{"a": ' + "9" * 5000 + "}", "s.json: Exceeds the limit"),
        ("s.json", "[" * 100_000, "s.json: maximum recursion depth"),
        ("s.json", '{"version": 1,}', "s.json: is not JSON"),
        ("s.json", "", "s.json: is not JSON"),
        ("s.json", b"\xff\xfe{}", "s.json: cannot be read"),
        ("s.yaml", "a: [", "s.yaml: is not YAML"),
        ("s.yaml", "!!python/object/apply:os.system [id]", "s.yaml: is not YAML"),
    ],
    ids=lambda value: value[:30] if isinstance(value, str) else "",
)
def test_what_cannot_be_decoded_is_said_with_its_file(
    tmp_path: Path, name: str, text: str | bytes, expected: str
) -> None:
    file = tmp_path / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as caught:
        config.load(file)
    [problem] = caught.value.problems
    assert problem.startswith(f"{file.parent}/{expected}")
    assert len(problem) < 1000


def test_addresses_of_version_six_stand_in_brackets() -> None:
    document = changed(kafka__bootstrapServers="[2001:db8::1]:9092,broker-1:9093")
    assert config.parse(json.loads(json.dumps(document))).kafka.bootstrap_servers == "[2001:db8::1]:9092,broker-1:9093"
