"""KafkaConnection over TLS: logins by password and by certificate, and what is wrong with certificates."""

from __future__ import annotations

import json
from typing import Any

from cluster.operator.logins import can_log_in
from cluster.operator.scene import MakeScene, Scene
from testbed.authority import Authority
from testbed.broker import Broker
from testbed.fixtures import wait_for
from testbed.tls_listeners import TlsListeners

BY_SECRET = {"caSecretRef": {"name": "kafka-ca"}}
BY_CONFIG_MAP = {"caConfigMapRef": {"name": "kafka-ca", "key": "authority"}}


def _object(scene: Scene, kind: str, name: str, **data: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": scene.home}
    field = "stringData" if kind == "Secret" else "data"
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata, field: data}


def _authority(scene: Scene, pem: str) -> list[dict[str, Any]]:
    return [
        _object(scene, "Secret", "kafka-ca", **{"ca.crt": pem}),
        _object(scene, "ConfigMap", "kafka-ca", authority=pem),
    ]


def _start(make_scene: MakeScene, broker: Broker, listeners: TlsListeners) -> Scene:
    scene = make_scene(kafka=broker.client_config())
    scene.start()
    scene.apply(scene.admin_secret(), *_authority(scene, listeners.ca))
    return scene


def _is(scene: Scene, reason: str, *, reachable: str | None = None) -> str:
    message = scene.ready("kafkaconnection", "default", reason, scene.home)
    if reachable is not None:
        assert scene.condition("kafkaconnection", "default", "KafkaReachable", scene.home)["status"] == reachable
    return message


def _says(scene: Scene, reason: str, words: str) -> str:
    return wait_for(
        lambda: message if words in (message := _is(scene, reason)) else "", what=f"it says {words}, with {reason}"
    )


def test_a_password_over_tls_and_what_clients_get(
    make_scene: MakeScene, tls_broker: tuple[Broker, TlsListeners]
) -> None:
    broker, listeners = tls_broker
    scene = _start(make_scene, broker, listeners)
    scene.apply(scene.connection(bootstrapServers=[listeners.bootstrap], tls=BY_SECRET))
    scene.declare("AlertTopic", "alerts", {"topicName": scene.name("alerts")})
    scene.declare("KafkaUser", "reader", {"userName": scene.name("reader")})
    _is(scene, "Connected", reachable="True")
    status = scene.status("kafkaconnection", "default", scene.home)
    assert (status["brokers"], status["kafkaVersion"]) == (1, "4.3")
    assert status["metadataVersion"] >= 30
    assert status["controller"] == listeners.bootstrap
    scene.ready("alerttopic", "alerts", "Reconciled")
    scene.ready("kafkauser", "reader", "Reconciled")
    secret = scene.secret("reader")
    assert (secret["security.protocol"], secret["sasl.mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")
    assert secret["ca.crt"] == secret["ssl.truststore.certificates"] == listeners.ca
    assert secret["ssl.truststore.type"] == "PEM"
    assert can_log_in(secret)
    assert not can_log_in({**secret, "password": "wrong"})
    assert broker.client_config()["sasl.password"] not in scene.log.read_text()


def test_a_renewed_authority_is_said_and_taken_and_handed_on(
    make_scene: MakeScene, tls_broker: tuple[Broker, TlsListeners]
) -> None:
    broker, listeners = tls_broker
    scene = _start(make_scene, broker, listeners)
    scene.apply(scene.connection(bootstrapServers=[listeners.bootstrap], tls=BY_CONFIG_MAP))
    scene.declare("KafkaUser", "reader", {"userName": scene.name("reader")})
    scene.ready("kafkauser", "reader", "Reconciled")
    listeners.renew("second")
    broker.restart()
    message = _says(scene, "TlsFailed", "certificate of broker")
    assert listeners.bootstrap in message
    assert "unable to get local issuer certificate" in message
    assert "tls.caConfigMapRef" in message
    assert scene.condition("kafkaconnection", "default", "KafkaReachable", scene.home)["status"] == "False"
    assert scene.status("kafkaconnection", "default", scene.home)["brokers"] == 1, "the last good facts are kept"
    assert "TlsFailed" in scene.ready("kafkauser", "reader", "DependencyNotReady")
    scene.apply(*_authority(scene, listeners.ca))
    _is(scene, "Connected", reachable="True")
    wait_for(lambda: scene.secret("reader")["ca.crt"] == listeners.ca, what="the user's Secret has the new authority")
    scene.ready("kafkauser", "reader", "Reconciled")
    assert can_log_in(scene.secret("reader"))


def test_a_client_certificate_is_a_login_and_a_wrong_one_is_told(
    make_scene: MakeScene, tls_broker: tuple[Broker, TlsListeners], tmp_path: Any
) -> None:
    broker, listeners = tls_broker
    scene = _start(make_scene, broker, listeners)
    named = {**BY_SECRET, "clientCertificateSecretRef": {"name": "operator"}}
    connection = scene.connection(bootstrapServers=[listeners.mutual_bootstrap], tls=named)
    del connection["spec"]["sasl"]
    connection["spec"]["clientBootstrapServers"] = [listeners.bootstrap]
    scene.apply(connection)
    _says(scene, "CredentialsMissing", f"Secret {scene.home}/operator does not exist")
    foreign = [file.read_text() for file in Authority(tmp_path / "foreign").sign("operator", "/CN=operator")]
    scene.apply(_object(scene, "Secret", "operator", **{"tls.crt": foreign[0], "tls.key": foreign[1]}))
    _says(scene, "TlsFailed", "does not accept the client certificate of tls.clientCertificateSecretRef")
    certificate, key = listeners.client_certificate()
    scene.apply(_object(scene, "Secret", "operator", **{"tls.crt": certificate, "tls.key": key}))
    _is(scene, "Connected")
    scene.declare("KafkaUser", "reader", {"userName": scene.name("reader")})
    scene.ready("kafkauser", "reader", "Reconciled")
    assert scene.secret("reader")["bootstrap.servers"] == listeners.bootstrap
    assert can_log_in(scene.secret("reader"))
    everything = scene.log.read_text() + json.dumps(scene.get("kafkaconnection", "default", scene.home))
    assert "PRIVATE KEY" not in everything
    assert key.splitlines()[1] not in everything
