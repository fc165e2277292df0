"""The operator's login over TLS, against a real broker: each way in, and each thing that may be wrong with a certificate."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from fink_distribution.errors import Reason, ReconcileError
from fink_distribution.kafka import versions
from fink_distribution.kafka.admin import ClusterFacts, KafkaAdmin
from fink_distribution.kafka.login import Login, Tls
from testbed.authority import Authority
from testbed.broker import ADMIN, Broker
from testbed.tls_listeners import TlsListeners


def _facts(login: Login) -> ClusterFacts:
    async def ask() -> ClusterFacts:
        return await KafkaAdmin(login, 20).facts()

    return asyncio.run(ask())


def _refused(login: Login) -> ReconcileError:
    with pytest.raises(ReconcileError) as caught:
        _facts(login)
    return caught.value


def _by_password(broker: Broker, listeners: TlsListeners, mechanism: str = "SCRAM-SHA-512") -> Login:
    password = broker.client_config()["sasl.password"]
    return Login(listeners.bootstrap, mechanism, ADMIN, password, Tls(listeners.ca))


def _says(login: Login, *words: str) -> None:
    error = _refused(login)
    assert error.reason is Reason.TLS_FAILED, error
    assert all(each in error.message for each in words), error.message


def test_passwords_and_certificates_are_logins_and_wrong_ones_are_told(
    tls_broker: tuple[Broker, TlsListeners], tmp_path: Path
) -> None:
    broker, listeners = tls_broker
    login = _by_password(broker, listeners)
    certificate, key = listeners.client_certificate()
    by_certificate = Login(listeners.mutual_bootstrap, None, None, None, Tls(listeners.ca, certificate, key))
    ids = {_facts(each).cluster_id for each in (login, _by_password(broker, listeners, "PLAIN"), by_certificate)}
    assert len(ids) == 1
    for each in (login, by_certificate):
        found = asyncio.run(versions.ask(KafkaAdmin(each, 20)))
        assert found.kafka == "4.3"
        assert (found.metadata or 0) >= 30
    assert _refused(replace(login, password="wrong")).reason is Reason.AUTHENTICATION_FAILED
    foreign = [file.read_text() for file in Authority(tmp_path / "foreign").sign("operator", "/CN=operator")]
    _says(replace(by_certificate, tls=Tls(listeners.ca)), "wants a client certificate")
    _says(replace(by_certificate, tls=Tls(listeners.ca, *foreign)), "does not accept the client certificate")
    mixed = Tls(listeners.ca, certificate, foreign[1])
    _says(replace(by_certificate, tls=mixed), "key values mismatch", "tls.key its unencrypted key")
    _says(replace(login, tls=Tls("-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n")), "must be PEM")


def test_what_is_wrong_with_the_brokers_certificate_is_told(tls_broker: tuple[Broker, TlsListeners]) -> None:
    broker, listeners = tls_broker
    login = _by_password(broker, listeners)
    _says(replace(login, tls=Tls()), f"certificate of broker {listeners.bootstrap}", "tls.caSecretRef")
    _says(replace(login, bootstrap_servers=broker.bootstrap), "PLAINTEXT broker listener?")
    listeners.renew("elsewhere", server_names="DNS:kafka.example.org")
    broker.restart()
    _says(login, "unable to get local issuer certificate", "tls.caConfigMapRef")
    login = replace(login, tls=Tls(listeners.ca))
    _says(login, "IP address mismatch, certificate is not valid for '127.0.0.1'", "tls.hostnameVerification: false")
    assert _facts(replace(login, tls=Tls(listeners.ca, verify_hostname=False))).brokers == 1
    listeners.renew("ended", days=-1)
    broker.restart()
    _says(replace(login, tls=Tls(listeners.ca)), "certificate has expired", "Renew")
