"""The Secret's forms of the same login, as clients read them."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from fink_distribution.resources.credentials import (
    Stored,
    jaas_config,
    java_properties,
    keyed_hash,
    metadata_differs,
    secret_data,
    secret_manifest,
    stale_metadata,
)
from fink_distribution.resources.kafka_connection import ClientAccess
from fink_distribution.resources.kafka_user import KafkaUser

BODY: dict[str, Any] = {
    "apiVersion": "distribution.fink-broker.org/v1alpha1",
    "kind": "KafkaUser",
    "metadata": {"name": "u", "namespace": "ns", "uid": "1"},
    "spec": {"secret": {"labels": {"team": "sn"}, "annotations": {"note": "x"}}},
}
USER = KafkaUser.of(BODY)


def test_jaas_escapes_quotes_and_backslashes() -> None:
    module = "org.apache.kafka.common.security.scram.ScramLoginModule"
    assert jaas_config("u", 'a"b\\c') == f'{module} required username="u" password="a\\"b\\\\c";'


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain", "plain"),
        ("a=b:c#d!e", "a=b:c#d!e"),
        (" in front", "\\ in front"),
        ("back\\slash", "back\\\\slash"),
        ("tab\t", "tab\\t"),
        ("\u00e9", "\\u00e9"),
        ("\U0001f600", "\\ud83d\\ude00"),
    ],
)
def test_java_properties(value: str, written: str) -> None:
    assert java_properties({"k": value}) == f"k={written}\n"


def test_the_secret_has_all_forms() -> None:
    data = secret_data(USER, 'p"w', "f" * 64, ClientAccess("one:9092,two:9093", "SASL_PLAINTEXT"))
    assert {key: data[key] for key in ("type", "host", "port")} == {"type": "kafka", "host": "one", "port": "9092"}
    assert data["librdkafka.properties"].splitlines() == [
        "bootstrap.servers=one:9092,two:9093",
        "security.protocol=SASL_PLAINTEXT",
        "sasl.mechanism=SCRAM-SHA-512",
        "sasl.username=u",
        'sasl.password=p"w',
    ]
    assert data["client.properties"].splitlines()[3] == (
        "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required "
        'username="u" password="p\\\\"w";'
    )
    assert secret_data(USER, "p", "f" * 64, ClientAccess("[::1]:9092", "SASL_PLAINTEXT"))["host"] == "[::1]"


def test_over_tls_each_form_names_the_authority() -> None:
    pem = "-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n"
    data = secret_data(USER, "p", "f" * 64, ClientAccess("one:9093", "SASL_SSL", pem, verify_hostname=False))
    assert data["ca.crt"] == data["ssl.truststore.certificates"] == pem
    java = data["client.properties"].splitlines()
    assert "ssl.truststore.type=PEM" in java
    assert r"ssl.truststore.certificates=-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n" in java
    assert "ssl.endpoint.identification.algorithm=" in java
    raw = data["librdkafka.properties"].splitlines()
    assert {
        "security.protocol=SASL_SSL",
        "ssl.ca.location=ca.crt",
        "ssl.endpoint.identification.algorithm=none",
    } <= set(raw)


def test_a_hash_says_nothing_without_its_key() -> None:
    assert keyed_hash("k", "u", "p") != keyed_hash("l", "u", "p")
    assert keyed_hash("k", "u", "p") != keyed_hash("k", "v", "p")
    assert len(keyed_hash("k", "u", "p")) == 64


def stored(labels: dict[str, str], ours: list[str], data: dict[str, str] | None = None) -> Stored:
    fields = {"f:metadata": {"f:labels": {f"f:{name}": {} for name in ours}}}
    entries = [{"manager": "us", "fieldsV1": fields}, {"manager": "they", "fieldsV1": {"f:metadata": {"f:labels": {}}}}]
    metadata = {"labels": labels, "annotations": {"note": "x"}, "managedFields": entries}
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in (data or {}).items()}
    return Stored.of({"metadata": metadata, "data": encoded})


def test_labels_of_others_stay_and_stale_ones_of_ours_go() -> None:
    manifest = secret_manifest(BODY, USER, {})
    wanted = manifest["metadata"]["labels"]
    assert not metadata_differs(stored(wanted, list(wanted)), manifest)
    assert metadata_differs(stored({**wanted, "team": "edited"}, []), manifest)
    found = stored({**wanted, "theirs": "x", "old": "x"}, [*wanted, "old", "gone"])
    assert stale_metadata(found, manifest, "us") == {"labels": {"old": None}}
    assert stale_metadata(found, manifest, "they") == {}


def test_what_differs_in_the_secret() -> None:
    found = stored({}, [], {"a": "1", "b": "2", "ledger.key": "short"})
    assert found.differing({"a": "1", "b": "3", "c": "4"}) == ["b", "c"]
    assert found.ledger_key is None
    assert Stored.of({"metadata": {}, "data": {"a": "/w=="}}).text("a") is None
    assert Stored.of({"metadata": {}}).text("a") is None
