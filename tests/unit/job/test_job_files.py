"""Paths of files in Spark's errors, their folders, back-off, the session's and the sink's options."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from job_documents import DOCUMENT, changed

from distribution_job import kafka_sink, read_errors, session
from distribution_job.alert_files import AlertFile, by_layout, layout, mentioned
from distribution_job.backoff import Backoff
from distribution_job.config import parse
from distribution_job.failures import Reason


def file(path: str) -> AlertFile:
    return AlertFile(path, 1, 2)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("while reading file file:///d/a.parquet. x", "file:/d/a.parquet"),
        ("while reading file file:/d/a.parquet.", "file:/d/a.parquet"),
        ("reading /d/a%20b%5B1%5D.parquet", "file:/d/a b[1].parquet"),
        ("reading file:/d/a b[1].parquet", "file:/d/a b[1].parquet"),
        ("reading s3a://bucket/d/c.parquet", "s3a://bucket/d/c.parquet"),
        ("reading file:/d/e.parquet then file:/d/a.parquet", "file:/d/e.parquet"),
        ("nothing of ours", None),
    ],
)
def test_which_file_an_error_names(text: str, found: str | None) -> None:
    paths = ["file:/d/a.parquet", "file:/d/a b[1].parquet", "s3a://bucket/d/c.parquet", "file:/d/e.parquet"]
    named = mentioned(text, map(file, paths))
    assert (named.path if named else None) == found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x [FAILED_READ_FILE.NO_HINT] reading file file:///d/a.parquet.\nCaused by: java.io.IOException: bad page", 1),
        ("x [FAILED_READ_FILE.CANNOT_READ_FILE_FOOTER] reading file file:/d/a.parquet.", 1),
        ("[PATH_NOT_FOUND] Path does not exist: file:/d/a.parquet. SQLSTATE: 42K03", 2),
        ("[FAILED_READ_FILE.FILE_NOT_EXIST] reading file file:/d/a.parquet", 2),
        ("a plan that reads file:/d/a.parquet failed for want of memory", None),
        ("[FAILED_READ_FILE.NO_HINT] reading file file:/d/other.parquet", None),
    ],
)
def test_whether_a_file_is_to_blame(text: str, reason: int | None) -> None:
    blamed = read_errors.unreadable(RuntimeError(text), [file("file:/d/a.parquet")])
    expected = {None: None, 1: Reason.FILE_UNREADABLE, 2: Reason.FILE_GONE}[reason]
    assert (blamed.failure.reason if blamed else None) == expected
    if "bad page" in text:
        assert blamed is not None
        assert "bad page" in blamed.failure.message


def test_files_are_grouped_by_their_partition_folders() -> None:
    files = [file(path) for path in ("file:/d/z.parquet", "file:/d/year=1/a.parquet", "file:/d/year=2/b.parquet")]
    assert layout("file:///d/year=1/month=2/a=b.parquet", "/d/") == ("", "year", "month")
    assert layout("file:/d/ztf/year=1/x/month=2/a.parquet", "file:/d") == ("/ztf/year=1/x", "month")
    assert [[one.path for one in group] for group in by_layout(files, "file:/d")] == [
        ["file:/d/year=1/a.parquet", "file:/d/year=2/b.parquet"],
        ["file:/d/z.parquet"],
    ]


def test_pauses_double_up_to_the_longest_and_begin_anew() -> None:
    backoff = Backoff(first=1, longest=10)
    assert [backoff.next() for _ in range(6)] == [1, 2, 4, 8, 10, 10]
    backoff.reset()
    assert backoff.next() == 1
    backoff.failures = 10**6
    assert backoff.next() == 10


def test_in_a_pod_the_driver_says_who_and_where_it_is() -> None:
    pod = {"POD_NAME": "ztf-driver-0", "POD_IP": "10.1.2.3"}
    conf = session.configuration("ztf", {"spark.master": "k8s://https://x"}, pod, "abcd1234")
    assert conf["spark.kubernetes.driver.pod.name"] == "ztf-driver-0"
    assert conf["spark.driver.host"] == "10.1.2.3"
    assert conf["spark.kubernetes.authenticate.oauthTokenFile"].endswith("/token")
    assert conf["spark.kubernetes.executor.podNamePrefix"] == "ztf-abcd1234"
    long = session.configuration("z" * 63, {"spark.master": "k8s://x"}, pod, "abcd1234")
    assert len(long["spark.kubernetes.executor.podNamePrefix"]) == 47


def test_spark_logs_as_the_job_wants_it_whatever_options_java_is_given() -> None:
    conf = session.configuration("x", {"spark.master": "local", "spark.driver.extraJavaOptions": "-Xss4m"}, {}, "a")
    option, _, place = conf["spark.driver.defaultJavaOptions"].partition("=file://")
    assert (option, conf["spark.driver.extraJavaOptions"]) == ("-Dlog4j2.configurationFile", "-Xss4m")
    assert "org.apache.spark.util.Utils" in Path(place).read_text()


def test_what_the_job_rests_on_cannot_be_configured_away() -> None:
    configured = {"spark.master": "local[2]", "spark.sql.ansi.enabled": "true", "spark.ui.enabled": "true"}
    conf = session.configuration("x", configured, {}, "a")
    assert conf["spark.sql.ansi.enabled"] == "false"
    assert conf["spark.sql.session.timeZone"] == "UTC"
    assert conf["spark.ui.enabled"] == "true"
    assert "kafka" not in conf["spark.sql.sources.useV1SourceList"]
    assert "spark.driver.host" not in conf


def test_the_sink_s_options_hold_no_secret(tmp_path: Path) -> None:
    for name in ("username", "password", "sasl.jaas.config"):
        (tmp_path / name).write_text("SECRET")
    chosen = kafka_sink.options(parse(changed(kafka__credentialsDirectory=str(tmp_path))), 0)
    assert "SECRET" not in str(chosen)
    assert chosen["kafka.sasl.jaas.config"] == f"${{directory:{tmp_path}:sasl.jaas.config}}"
    assert chosen["kafka.config.providers.directory.param.allowed.paths"] == str(tmp_path)
    assert (chosen["kafka.acks"], chosen["kafka.enable.idempotence"]) == ("all", "true")


def test_a_rotated_login_makes_another_producer(tmp_path: Path) -> None:
    config = parse(changed(kafka__credentialsDirectory=str(tmp_path)))
    clients = set()
    for second in (1_000, 2_000):
        login = tmp_path / "sasl.jaas.config"
        login.write_text("x")
        os.utime(login, (second, second))
        clients.add(kafka_sink.options(config, 0)["kafka.client.id"])
    assert len(clients) == 2


def test_plaintext_needs_no_login() -> None:
    document = changed(kafka={"bootstrapServers": "b:1", "securityProtocol": "PLAINTEXT"})
    assert not [name for name in kafka_sink.options(parse(document), 0) if "sasl" in name or "config.providers" in name]


def test_brokers_certificates_are_checked_with_the_given_authority() -> None:
    document = {**DOCUMENT, "kafka": {"bootstrapServers": "b:1", "securityProtocol": "SSL", "caFile": "/ca.pem"}}
    chosen = kafka_sink.options(parse(document), 0)
    assert (chosen["kafka.ssl.truststore.type"], chosen["kafka.ssl.truststore.location"]) == ("PEM", "/ca.pem")


@pytest.mark.parametrize(
    ("largest", "batch"),
    [
        ([1_048_588], 131_073),
        ([10_485_760, 1_048_588], 131_073),
        ([10_485_760], 1_048_576),
        ([100_000], 0),  # batches of less than 16 KiB are not worth their while
        ([1_048_588, None], 0),
        ([], 0),
    ],
)
def test_batches_stay_far_below_what_a_topic_takes(largest: list[int | None], batch: int) -> None:
    assert kafka_sink.batch_bytes(largest) == batch


@pytest.mark.parametrize(
    ("batch", "partitions", "expected"),
    [
        (1048576, 1, 1048576),
        (1048576, 32, 1048576),
        (1048576, 400, 83886),
        (100_000, 32, 100_000),
        (1048576, 1_000_000, 16384),
        (0, 400, 0),
    ],
)
def test_each_partition_has_room_in_the_producers_buffer(batch: int, partitions: int, expected: int) -> None:
    assert kafka_sink.shared(batch, partitions) == expected


def test_a_renewed_authority_makes_another_producer(tmp_path: Path) -> None:
    authority = tmp_path / "ca.crt"
    document = {
        **DOCUMENT,
        "kafka": {
            "bootstrapServers": "b:1",
            "securityProtocol": "SSL",
            "caFile": str(authority),
            "verifyHostname": False,
        },
    }
    clients = set()
    for second in (1_000, 2_000):
        authority.write_text("x")
        os.utime(authority, (second, second))
        clients.add(kafka_sink.options(parse(document), 0)["kafka.client.id"])
    assert len(clients) == 2
    assert kafka_sink.options(parse(document), 0)["kafka.ssl.endpoint.identification.algorithm"] == ""
