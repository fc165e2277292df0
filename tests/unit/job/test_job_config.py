from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from job_documents import DOCUMENT, changed

from distribution_job import config
from distribution_job.cli import main
from distribution_job.outputs import Output
from distribution_job.source_config import Delta, Iceberg, Jdbc, KafkaTopic, Parquet, Source
from job_settings.documents import ConfigError

JDBC = {
    "url": "jdbc:postgresql://db:5432/x",
    "table": "a",
    "cursorColumn": "t",
    "keyColumns": ["id"],
    "credentialsDirectory": "/login",
}
REPOSITORY = Path(__file__).resolve().parents[3]


def test_the_packaged_schema_is_the_repository_s() -> None:
    packaged = REPOSITORY / "jobs" / "distribution_job" / config.SCHEMA_FILE
    assert packaged.read_bytes() == (REPOSITORY / "schemas" / config.SCHEMA_FILE).read_bytes()


def test_a_good_document_and_its_defaults() -> None:
    parsed = config.parse(DOCUMENT)
    assert parsed.source == Source(Parquet("/data/science", 100), None, "Earliest")
    assert parsed.progress.interval_seconds == 5
    assert parsed.outputs == (Output("all", "t-all"), Output("sn", "t-sn", sql="a > 1"))
    assert parsed.kafka.credentials_directory == Path("/credentials")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"type": "delta", "delta": {"path": "/t"}}, Delta("/t", 10, skip_changes=False)),
        ({"type": "iceberg", "iceberg": {"path": "/t", "skipChanges": True}}, Iceberg("/t", 10_000, skip_changes=True)),
        ({"type": "jdbc", "jdbc": JDBC}, Jdbc(JDBC["url"], "a", "t", ("id",), 300, 10_000, Path("/login"), None)),
        ({"type": "kafka", "kafka": {"topic": "in"}}, KafkaTopic("in", "SchemaInKey", None, 10_000)),
    ],
)
def test_each_source_has_its_part(source: dict[str, Any], expected: object) -> None:
    assert config.parse(changed(source=source)).source.part == expected


@pytest.mark.parametrize("path", ["/data/checkpoint", "file:///data/checkpoint", "file:/data/checkpoint"])
def test_a_local_checkpoint_may_be_a_path_or_a_uri(path: str) -> None:
    assert config.parse(changed(checkpoint__path=path)).checkpoint == Path("/data/checkpoint")


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ({"stream__name": ...}, "stream: lacks name"),
        ({"source__folder": "/x"}, "source: folder is not known here. Allowed: type, path"),
        ({"kafka__securityProtocol": "TLS"}, "PLAINTEXT, SASL_PLAINTEXT, SSL, SASL_SSL"),
        ({"trigger__intervalSeconds": -1}, "trigger.intervalSeconds"),
        ({"outputs": []}, "outputs"),
        (
            {"outputs__0__filter": {"sql": "a", "python": "b.c"}},
            "outputs[0].filter: takes one of sql, python, not both",
        ),
        ({"outputs__0__filter": {"python": "no path"}}, "outputs[0].filter.python"),
        ({"source__type": "delta"}, "source: lacks delta. Add it."),
        (
            {"source__type": "delta"},
            "source: path belongs to the type parquet alone; leave it out, or change the type.",
        ),
        ({"source__jdbc": JDBC}, "source: jdbc belongs to the type jdbc alone"),
        (
            {"source": {"type": "jdbc", "jdbc": {**JDBC, "url": "jdbc:postgresql://db/x?user=me&password=no"}}},
            "without a login",
        ),
        ({"source": {"type": "jdbc", "jdbc": {**JDBC, "url": "jdbc:postgresql://me:no@db/x"}}}, "without a login"),
        ({"source": {"type": "jdbc", "jdbc": {**JDBC, "table": "a; DROP TABLE a"}}}, "source.jdbc.table"),
        (
            {"source": {"type": "kafka", "kafka": {"topic": "t-all"}}},
            "source.kafka.topic: t-all is an output's topic too",
        ),
        (
            {"source": {"type": "kafka", "kafka": {"topic": "in", "format": "Confluent"}}},
            "source.kafka.format: Confluent needs a schema registry. Set registry.url",
        ),
        (
            {"source": {"type": "kafka", "kafka": {"topic": "in", "schema": "{}"}}},
            "source.kafka.schema: belongs to the format Avro",
        ),
        ({"source__startingFrom": "yesterday"}, "source.startingFrom"),
        ({"source__startingFrom": "2026-13-01T00:00:00Z"}, "2026-13-01T00:00:00Z is no time (month must be in 1..12)"),
        (
            {"outputs__0__format": "Avro"},
            'outputs[0].format: "Avro" is not allowed. Allowed: SchemaInKey, ObjectContainer, Confluent, Json',
        ),
        ({"outputs__0__format": "Confluent"}, "outputs[0].format: Confluent needs a schema registry, or the"),
        ({"outputs__0__schemaId": 7}, "outputs[0].schemaId: SchemaInKey names no schema by an id"),
        (
            {"outputs__0__format": "Confluent", "outputs__0__schemaId": 7, "registry": {"url": "https://r"}},
            "outputs[0].schemaId: the registry gives ids",
        ),
        ({"registry": {}}, "registry: lacks url"),
        ({"registry": {"url": "https://me:secret@r"}}, "registry.url"),
        (
            {"registry": {"url": "http://r:8081", "credentialsDirectory": "/c"}},
            "registry.credentialsDirectory: http://r:8081 is without TLS",
        ),
        ({"outputs__0__compatibility": "FORWARD"}, "Forward, ForwardTransitive, Full, FullTransitive, None"),
        ({"outputs__0__rename": {"ra": "i:ra"}}, "outputs[0].rename.ra"),
        ({"outputs__0__rename": {"ra": "x", "dec": "x"}}, "outputs[0].rename: ra and dec would both be called x"),
        ({"outputs__1__name": "all"}, "outputs[1].name: all is the name of another output"),
        ({"kafka__saslMechanism": ...}, "kafka.saslMechanism: SASL_PLAINTEXT needs it"),
        ({"kafka__caFile": "/ca.pem"}, "kafka.caFile: SASL_PLAINTEXT is without TLS"),
        ({"kafka__credentialsDirectory": ...}, "kafka.credentialsDirectory: SASL_PLAINTEXT needs it"),
        ({"checkpoint__path": "s3a://bucket/x"}, "checkpoint.path: s3a://bucket/x is not a folder of a mounted"),
        ({"spark__conf": {}}, "spark.conf: lacks spark.master"),
        (
            {"delivery": {"guarantee": "AtLeastOnce"}, "outputs__0__maxAlertsPerBatch": 5},
            "outputs[0].maxAlertsPerBatch: is not kept with AtLeastOnce",
        ),
        (
            {"delivery": {"guarantee": "AtLeastOnce"}, "outputs__1__maxBytesPerNight": 5},
            "outputs[1].maxBytesPerNight: is not kept with AtLeastOnce",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_field(places: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config.parse(changed(**places))
    assert said in "\n".join(caught.value.problems)


def test_all_problems_are_said_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        config.parse(changed(stream__name=..., trigger__intervalSeconds="often"))
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        (json.dumps(DOCUMENT), 0, "good, 2 outputs"),
        (json.dumps(changed(version=2)), 2, "error: version"),
        ("{,", 2, "is not JSON"),
        (None, 2, "cannot be read"),
    ],
)
def test_check_says_whether_the_file_can_be_used(tmp_path: Path, text: str | None, status: int, said: str) -> None:
    file = tmp_path / "stream.json"
    if text is not None:
        file.write_text(text)
    done = CliRunner().invoke(main, ["--config", str(file), "--check"])
    assert (done.exit_code, said in done.output) == (status, True), done.output


def test_help_explains_the_exit_status_and_the_hidden_names() -> None:
    shown = CliRunner().invoke(main, ["--help"]).output
    assert "Exit status" in shown
    assert "FINK_FILTER_PACKAGES" in shown
    assert "rename" in shown


def test_checking_and_asking_for_help_does_not_load_spark() -> None:
    code = "import sys, distribution_job.cli; sys.exit('pyspark' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": os.pathsep.join(sys.path)}, check=True)
