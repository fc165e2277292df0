"""A login in the settings of both client libraries, and in nobody's sight."""

from __future__ import annotations

from pathlib import Path

import pytest

from fink_distribution.kafka.login import Login, Tls
from testbed.authority import Authority

TLS = Tls("CA", "CERTIFICATE", "KEY")


@pytest.mark.parametrize(
    ("login", "protocol"),
    [
        (Login("b:1", "SCRAM-SHA-512", "u", "PASSWORD"), "SASL_PLAINTEXT"),
        (Login("b:1", "SCRAM-SHA-512", "u", "PASSWORD", Tls()), "SASL_SSL"),
        (Login("b:1", None, None, None, TLS), "SSL"),
    ],
)
def test_the_protocol_follows_from_what_is_given(login: Login, protocol: str) -> None:
    settings = login.librdkafka()
    assert settings["security.protocol"] == protocol
    assert any(name.startswith("sasl.") for name in settings) == protocol.startswith("SASL")
    assert any(name.startswith("ssl.") for name in settings) == protocol.endswith("SSL")
    assert not any(name.endswith(".location") and settings[name] != "probe" for name in settings)
    assert "PASSWORD" not in repr(login)
    assert "KEY" not in repr(login)


def test_without_an_authority_the_systems_are_trusted() -> None:
    assert Tls().librdkafka() == {"ssl.ca.location": "probe", "ssl.endpoint.identification.algorithm": "https"}
    assert Tls("CA", verify_hostname=False).librdkafka()["ssl.endpoint.identification.algorithm"] == "none"


def test_kafka_python_gets_the_same_certificates(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.sign("operator", "/CN=operator")
    tls = Tls(authority.certificate.read_text(), certificate.read_text(), key.read_text())
    settings = Login("a:1,b:2", "SCRAM-SHA-512", "u", "PASSWORD", tls).kafka_python()
    assert settings["bootstrap_servers"] == ["a:1", "b:2"]
    assert (settings["security_protocol"], settings["sasl_plain_username"]) == ("SASL_SSL", "u")
    (trusted,) = settings["ssl_context"].get_ca_certs()
    assert trusted["subject"] == ((("commonName", "testbed-ca"),),)
