"""The testbed's broker lets in whom it should, and nobody else."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, NewTopic

from testbed.broker import Broker
from testbed.environment import Environment, properties


def test_the_admin_is_let_in(kafka_admin: AdminClient) -> None:
    assert kafka_admin.describe_cluster(request_timeout=10).result(10).nodes


def test_an_unknown_user_is_refused(testbed: Environment) -> None:
    errors: list[str] = []
    login = {"sasl.username": "nobody", "sasl.password": "guess", "error_cb": lambda e: errors.append(e.str())}
    stranger = AdminClient({**properties(testbed.kafka_admin_config), **login})
    with pytest.raises(KafkaException):
        stranger.describe_cluster(request_timeout=3).result(5)
    stranger.poll(1)
    assert any("SASL authentication error" in e for e in errors)


def test_a_broker_of_the_tests_own_keeps_its_data_over_a_kill(own_broker: Broker) -> None:
    admin = AdminClient(dict(own_broker.client_config()))
    admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(10)
    own_broker.kill()
    assert not own_broker.alive()
    own_broker.start()
    assert "kept" in AdminClient(dict(own_broker.client_config())).list_topics(timeout=10).topics
