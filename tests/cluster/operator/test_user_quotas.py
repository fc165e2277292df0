"""Quotas, and users that only plan or look."""

from __future__ import annotations

import pytest

from cluster.operator.by_hand import alter_quotas, kafka_of, quotas_of
from cluster.operator.logins import can_log_in
from cluster.operator.scene import Scene
from fink_distribution.kafka.admin import KafkaAdmin
from testbed.fixtures import wait_for


@pytest.fixture
def kafka(scene: Scene) -> KafkaAdmin:
    """Kafka, as its super user."""
    return kafka_of(scene)


def test_quotas_are_kept_and_those_of_others_left_alone(scene: Scene, kafka: KafkaAdmin) -> None:
    reader, foreign = scene.name("reader"), scene.name("foreign")
    alter_quotas(kafka, foreign, producer_byte_rate=7)
    alter_quotas(kafka, reader, request_percentage=150)
    wanted = {"producerByteRate": 1_048_576, "consumerByteRate": 2_097_152, "controllerMutationRate": 5}
    scene.declare("KafkaUser", "reader", {"userName": reader, "quotas": wanted})
    scene.ready("kafkauser", "reader", "Reconciled")
    theirs = {"request_percentage": 150}
    ours = {"producer_byte_rate": 1_048_576, "consumer_byte_rate": 2_097_152, "controller_mutation_rate": 5}
    assert quotas_of(kafka, reader) == {**theirs, **ours}
    assert scene.status("kafkauser", "reader")["quotas"] == wanted
    alter_quotas(kafka, reader, "consumer_byte_rate", producer_byte_rate=1)
    wait_for(lambda: quotas_of(kafka, reader) == {**theirs, **ours}, what="drift is repaired")
    scene.declare("KafkaUser", "reader", {"userName": reader, "quotas": {"producerByteRate": 2_000_000}})
    wait_for(
        lambda: quotas_of(kafka, reader) == {**theirs, "producer_byte_rate": 2_000_000},
        what="what is taken out is unset",
    )
    wait_for(lambda: scene.status("kafkauser", "reader")["quotas"] == {"producerByteRate": 2_000_000}, what="status")
    scene.delete("kafkauser", "reader")
    assert quotas_of(kafka, reader) == theirs
    assert quotas_of(kafka, foreign) == {"producer_byte_rate": 7}
    alter_quotas(kafka, foreign, "producer_byte_rate")
    alter_quotas(kafka, reader, "request_percentage")


def test_a_user_that_only_plans_or_looks_changes_nothing(scene: Scene, kafka: KafkaAdmin) -> None:
    reader, looker = scene.name("reader"), scene.name("looker")
    spec = {"userName": reader, "quotas": {"producerByteRate": 1000}}
    scene.declare("KafkaUser", "reader", {**spec, "mode": "Plan"})
    scene.declare("KafkaUser", "looker", {"userName": looker, "mode": "Observe"})
    scene.ready("kafkauser", "reader", "ChangesPlanned")
    assert scene.status("kafkauser", "reader")["plan"] == [
        "Secret reader: create",
        f"user {reader}: write the SCRAM-SHA-512 credential (4096 iterations)",
        f"user {reader}: set producer_byte_rate to 1000",
    ]
    assert "no credential" in scene.ready("kafkauser", "looker", "Observed")
    assert "userName" not in scene.status("kafkauser", "reader")
    assert scene.users() == set()
    assert not scene.exists("secret", "reader")
    assert quotas_of(kafka, reader) == {}
    scene.declare("KafkaUser", "reader", spec)
    scene.ready("kafkauser", "reader", "Reconciled")
    secret = scene.secret("reader")
    scene.declare("KafkaUser", "reader", {**spec, "mode": "Plan"})
    scene.ready("kafkauser", "reader", "InSync")
    scene.kubectl("annotate", "kuser", "reader", "-n", scene.namespace, "distribution.fink-broker.org/rotate=1")
    scene.ready("kafkauser", "reader", "ChangesPlanned")
    assert scene.status("kafkauser", "reader")["plan"] == [
        f"user {reader}: rotate to a new password by SCRAM-SHA-256 (asked for by the annotation)"
    ]
    for name in ("reader", "looker"):
        scene.delete("kafkauser", name)
    assert can_log_in(secret)
    assert quotas_of(kafka, reader) == {"producer_byte_rate": 1000}
    assert scene.secret("reader") == secret
    assert "ownerReferences" not in scene.get("secret", "reader")["metadata"], "Kubernetes would collect it"
    alter_quotas(kafka, reader, "producer_byte_rate")
