"""What the jobs are told, held against their own checks."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest

import distribution_job.config
import slack_notifier.config
from distribution_job.source_config import Parquet, Source
from fink_distribution.local_jobs.documents import console_options, distribution_document, login_files, slack_document
from fink_distribution.local_jobs.folder import JobFolder
from fink_distribution.local_jobs.manifests import stream_manifest
from fink_distribution.local_jobs.settings import Distribution, Kafka, SlackNotifier, TopicConsole
from fink_distribution.local_kafka.server_properties import Account
from fink_distribution.manifests.problems import Origin
from fink_distribution.manifests.reading import Document
from fink_distribution.manifests.schemas import check

REPOSITORY = Path(__file__).resolve().parents[3]
KAFKA = Kafka("k:9092", "SASL_PLAINTEXT", "SCRAM-SHA-512", Account("me", 'pass"word'), None)
PLAIN = Kafka("k:9092", "SSL", "SCRAM-SHA-512", None, "/ca.pem")
DISTRIBUTION = Distribution(
    KAFKA, "t", "id", "/schema", "/science", "/checkpoint", "Earliest", None, (), (), 2, "local[2]", "1g", None
)
CREDENTIALS = Path("/credentials")


def test_the_distributions_document_says_what_the_settings_say() -> None:
    chosen = replace(DISTRIBUTION, sql="a > 1", drop=("b",), starting_from="2026-01-31T22:00:00Z")
    parsed = distribution_job.config.parse(
        distribution_document(chosen, CREDENTIALS, [Path("/j/1.jar"), Path("/j/2.jar")])
    )
    (output,) = parsed.outputs
    assert (output.topic, output.sql, output.drop, output.schema_file) == ("t", "a > 1", ("b",), Path("/schema"))
    assert parsed.source == Source(Parquet("/science", 100), None, "2026-01-31T22:00:00Z")
    assert (parsed.checkpoint, parsed.trigger_seconds) == (Path("/checkpoint"), 2)
    assert parsed.delivery.guarantee == "ExactlyOnce"
    assert parsed.delivery.transactional_id == "id"
    assert parsed.kafka.credentials_directory == CREDENTIALS
    assert parsed.spark_conf == {
        "spark.master": "local[2]",
        "spark.driver.memory": "1g",
        "spark.jars": "/j/1.jar,/j/2.jar",
    }


def test_no_port_is_opened_unless_the_settings_name_one() -> None:
    for port in (None, 9108):
        settings = replace(DISTRIBUTION, metrics_port=port)
        assert distribution_job.config.parse(distribution_document(settings, CREDENTIALS, [])).metrics_port == port


def test_the_notifiers_document_says_what_the_settings_say() -> None:
    by_class = SlackNotifier(KAFKA, "t", "g", None, (), 5, None)
    (route,) = slack_notifier.config.parse(slack_document(by_class, CREDENTIALS, Path("/fink.conf"))).routes
    assert (route.recipient, route.channels, route.interval) == (None, None, 5.0)
    some = replace(by_class, channels=("#rrlyr", "#ebwuma"))
    (route,) = slack_notifier.config.parse(slack_document(some, CREDENTIALS, Path("/fink.conf"))).routes
    assert route.channels == {"#rrlyr", "#ebwuma"}
    one = replace(by_class, channel="#alerts", url="http://localhost:1/")
    parsed = slack_notifier.config.parse(slack_document(one, CREDENTIALS, Path("/fink.conf")))
    assert parsed.routes[0].recipient == "#alerts"
    assert (parsed.slack.token_file, parsed.slack.url) == (Path("/fink.conf"), "http://localhost:1/")
    assert (parsed.group, parsed.topics) == ("g", ["t"])


@pytest.mark.parametrize("kafka", [KAFKA, PLAIN], ids=["with a login", "without"])
def test_the_document_without_a_login_names_none(kafka: Kafka) -> None:
    parsed = distribution_job.config.parse(distribution_document(replace(DISTRIBUTION, kafka=kafka), CREDENTIALS, []))
    assert parsed.kafka.ca_file == (Path(kafka.ca_file) if kafka.ca_file else None)
    assert (parsed.kafka.credentials_directory is None) == (kafka.account is None)
    options = console_options(TopicConsole(kafka, "t", "g", "/schema"), CREDENTIALS, Path("/j"))
    assert ("--credentials" in options) == (kafka.account is not None)
    assert ("--ca-file" in options) == (kafka.ca_file is not None)


def test_no_secret_is_in_a_document_or_an_option() -> None:
    document = distribution_document(DISTRIBUTION, CREDENTIALS, [])
    told = slack_document(SlackNotifier(KAFKA, "t", "g", None, (), 5, None), CREDENTIALS, Path("/fink.conf"))
    options = console_options(TopicConsole(KAFKA, "t", "g", "/schema"), CREDENTIALS, Path("/j"))
    assert "word" not in str((document, told, options, DISTRIBUTION))


def test_the_login_is_in_files_that_only_the_owner_reads(tmp_path: Path) -> None:
    folder = JobFolder(tmp_path, "distribution", "id")
    for _ in range(2):  # the second start finds the first one's files
        folder.write_login(login_files(KAFKA))
        folder.write_document({"version": 1})
    files = {file.name: file for file in folder.credentials.iterdir()}
    assert files.keys() == {"username", "password", "sasl.jaas.config"}
    assert files["password"].read_text() == 'pass"word'
    assert 'password="pass\\"word";' in files["sasl.jaas.config"].read_text()
    for made in (folder.path, folder.credentials, *files.values(), folder.path / "job.json"):
        assert stat.S_IMODE(made.stat().st_mode) & 0o077 == 0, made
    assert login_files(PLAIN) == {}


@pytest.mark.parametrize(
    ("changes", "source", "output"),
    [
        ({}, {}, {}),
        ({"sql": "a > 1", "select": ("a", "b")}, {}, {"filter": {"sql": "a > 1"}, "select": ["a", "b"]}),
        ({"starting_from": "Latest", "drop": ("c",)}, {"startingFrom": "Latest"}, {"drop": ["c"]}),
    ],
)
def test_the_stream_says_the_same_and_passes_the_check_of_its_kind(changes, source, output) -> None:  # type: ignore[no-untyped-def]
    manifest = stream_manifest(replace(DISTRIBUTION, **changes), "fink-outstream", "ztf")
    assert check(Document(Origin("-", 1), manifest)) == []
    assert manifest["metadata"] == {"name": "distribution", "namespace": "ztf"}
    assert manifest["spec"]["source"] == {"parquet": {"claimName": "science"}, **source}
    assert manifest["spec"]["outputs"] == [{"name": "distribution", "topicRef": {"name": "fink-outstream"}, **output}]


def test_the_connectors_pom_is_the_one_of_the_jobs_image() -> None:
    packed = REPOSITORY / "operator" / "fink_distribution" / "local_kafka" / "connectors.pom.xml"
    assert packed.read_bytes() == (REPOSITORY / "jobs" / "pom.xml").read_bytes(), "run `make sync`"
