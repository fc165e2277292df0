"""AlertTopic: replicationFactor, on a cluster of several brokers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from confluent_kafka.admin import ResourceType
from kafka.admin import KafkaAdminClient

from cluster.operator.by_hand import make_topic, publish, replicas, set_config
from cluster.operator.scene import MakeScene, Scene
from kafka import TopicPartition
from testbed.broker import Broker
from testbed.fixtures import brokers_in, wait_for

BROKERS = 3


@pytest.fixture(scope="module")
def first_of_three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """The first of three brokers, which take long to start and so serve all tests of this module."""
    with brokers_in(tmp_path_factory.mktemp("brokers")) as make:
        yield make(BROKERS)[0]


@pytest.fixture
def cluster(make_scene: MakeScene, first_of_three: Broker) -> Scene:
    """A scene with three brokers."""
    scene = make_scene(kafka=first_of_three.client_config())
    scene.start()
    scene.apply(scene.admin_secret(), scene.connection())
    scene.ready("kafkaconnection", "default", "Connected", scene.home)
    return scene


@pytest.fixture
def reassigner(cluster: Scene) -> Iterator[KafkaAdminClient]:
    """Somebody else who reassigns partitions."""
    client = KafkaAdminClient(
        bootstrap_servers=cluster.admin_config["bootstrap.servers"],
        security_protocol="SASL_PLAINTEXT",
        sasl_mechanism="SCRAM-SHA-512",
        sasl_plain_username=cluster.admin_config["sasl.username"],
        sasl_plain_password=cluster.admin_config["sasl.password"],
    )
    yield client
    client.close()


@pytest.fixture
def throttle(cluster: Scene) -> Iterator[None]:
    """Undo `_throttle` at the end."""
    yield
    _throttle_brokers(cluster, None)


def _throttle(scene: Scene, topic: str) -> dict[str, str]:
    """Let the brokers copy next to nothing, as a person does who spares the network; return what that sets on the topic."""
    keys = {f"{side}.replication.throttled.replicas": "*" for side in ("leader", "follower")}
    set_config(scene, topic, keys)
    _throttle_brokers(scene, "1")
    return keys


def _throttle_brokers(scene: Scene, rate: str | None) -> None:
    for number in range(1, BROKERS + 1):
        rates = {f"{side}.replication.throttled.rate": rate for side in ("leader", "follower")}
        set_config(scene, str(number), rates, ResourceType.BROKER)


def _counts(scene: Scene, topic: str) -> set[int]:
    return {len(set(brokers)) for brokers in replicas(scene, topic).values()}


def test_replicas_are_added_and_removed_and_spread_over_the_brokers(cluster: Scene) -> None:
    topic = cluster.name("alerts")
    spec = {"topicName": topic, "partitions": 3, "replicationFactor": 1}
    cluster.declare("AlertTopic", "alerts", spec)
    cluster.ready("alerttopic", "alerts", "Reconciled")
    publish(cluster, topic, 10)
    leaders = {number: brokers[0] for number, brokers in replicas(cluster, topic).items()}
    cluster.declare("AlertTopic", "alerts", {**spec, "replicationFactor": 3, "mode": "Plan"})
    cluster.ready("alerttopic", "alerts", "ChangesPlanned")
    assert cluster.status("alerttopic", "alerts")["plan"] == [f"topic {topic}: replicas 1 -> 3"]
    cluster.declare("AlertTopic", "alerts", {**spec, "replicationFactor": 3})
    cluster.ready("alerttopic", "alerts", "Reconciled")
    assert _counts(cluster, topic) == {3}
    cluster.declare("AlertTopic", "alerts", {**spec, "replicationFactor": 2})
    cluster.ready("alerttopic", "alerts", "Reconciled")
    assert _counts(cluster, topic) == {2}
    assert {number: brokers[0] for number, brokers in replicas(cluster, topic).items()} == leaders
    held = [broker for brokers in replicas(cluster, topic).values() for broker in brokers]
    assert {held.count(number) for number in (1, 2, 3)} == {2}
    status = cluster.status("alerttopic", "alerts")
    assert status["replicationFactor"] == 2
    assert "replicasChange" not in status
    # Without the field the topic keeps what it has.
    cluster.declare("AlertTopic", "alerts", {"topicName": topic, "partitions": 4})
    cluster.ready("alerttopic", "alerts", "Reconciled")
    assert {len(brokers) for number, brokers in replicas(cluster, topic).items() if number < 3} == {2}
    # More than there are brokers: said, and the rest is applied.
    cluster.declare("AlertTopic", "alerts", {"topicName": topic, "partitions": 5, "replicationFactor": 4})
    message = cluster.ready("alerttopic", "alerts", "InvalidConfig")
    assert "replicationFactor: 4 is more than the 3 broker(s) of the cluster" in message
    assert "Applied: partitions." in message
    assert cluster.topics() == {topic: 5}


@pytest.mark.usefixtures("throttle")
def test_a_long_reassignment_is_followed_and_can_be_taken_back(cluster: Scene) -> None:
    topic = cluster.name("alerts")
    spec = {"topicName": topic, "partitions": 2, "replicationFactor": 1}
    cluster.declare("AlertTopic", "alerts", spec)
    cluster.ready("alerttopic", "alerts", "Reconciled")
    publish(cluster, topic, 200, size=20000)
    keys = _throttle(cluster, topic)
    cluster.declare("AlertTopic", "alerts", {**spec, "replicationFactor": 2, "config": {"retention.ms": "3600000"}})
    wait_for(
        lambda: "2 of 2 partition(s)" in cluster.ready("alerttopic", "alerts", "Progressing"), what="progress is said"
    )
    status = cluster.status("alerttopic", "alerts")
    assert status["replicasChange"] == {"target": 2, "partitionsRemaining": 2}
    assert status["replicationFactor"] == 1, "copies that are only being filled do not count"
    assert cluster.topic_config(topic) == {**keys, "retention.ms": "3600000"}, "throttles set by hand stay"
    # The operator dies; another finds its reassignment again.
    cluster.kill()
    cluster.start()
    wait_for(
        lambda: cluster.status("alerttopic", "alerts")["replicasChange"]["partitionsRemaining"] == 2,
        what="it is known as ours",
    )
    cluster.declare("AlertTopic", "alerts", spec)
    cluster.ready("alerttopic", "alerts", "Reconciled")
    assert _counts(cluster, topic) == {1}
    cluster.declare("AlertTopic", "alerts", {**spec, "replicationFactor": 3})
    cluster.ready("alerttopic", "alerts", "Progressing")
    _throttle_brokers(cluster, None)
    cluster.ready("alerttopic", "alerts", "Reconciled")
    assert _counts(cluster, topic) == {3}
    assert cluster.topic_config(topic) == keys


@pytest.mark.usefixtures("throttle")
def test_a_reassignment_begun_by_somebody_else_is_left_alone(cluster: Scene, reassigner: KafkaAdminClient) -> None:
    topic = cluster.name("alerts")
    spec = {"topicName": topic, "partitions": 1, "replicationFactor": 1}
    cluster.declare("AlertTopic", "alerts", spec)
    cluster.ready("alerttopic", "alerts", "Reconciled")
    publish(cluster, topic, 200, size=20000)
    _throttle(cluster, topic)
    (here,) = replicas(cluster, topic)[0]
    others = [number for number in (1, 2, 3) if number != here]
    partition = TopicPartition(topic, 0)
    # Only moved elsewhere: as many copies as declared, so there is nothing to say.
    reassigner.alter_partition_reassignments({partition: others[:1]})
    cluster.declare("AlertTopic", "alerts", {**spec, "config": {"retention.ms": "3600000"}})
    cluster.ready("alerttopic", "alerts", "Reconciled")
    running = reassigner.list_partition_reassignments([partition])
    config = {"retention.ms": "3600000", "segment.ms": "600000"}
    cluster.declare("AlertTopic", "alerts", {**spec, "config": config, "replicationFactor": 3})
    said = f"somebody else reassigns 1 partition(s) of topic {topic}"
    wait_for(lambda: said in cluster.ready("alerttopic", "alerts", "Progressing"), what="it is said")
    assert cluster.topic_config(topic).items() >= config.items(), "the rest is applied"
    assert reassigner.list_partition_reassignments([partition]) == running
    _throttle_brokers(cluster, None)
    cluster.ready("alerttopic", "alerts", "Reconciled", timeout=90)
    assert _counts(cluster, topic) == {3}
    assert replicas(cluster, topic)[0][0] == others[0], "what the other one wanted is kept"


def test_an_adopted_topic_gets_its_replicas(cluster: Scene) -> None:
    topic = cluster.name("by-hand")
    make_topic(cluster, topic, partitions=2)
    spec = {"topicName": topic, "replicationFactor": 2, "adoptionPolicy": "Adopt"}
    cluster.declare("AlertTopic", "alerts", spec)
    cluster.ready("alerttopic", "alerts", "Reconciled")
    assert _counts(cluster, topic) == {2}
    assert cluster.status("alerttopic", "alerts")["ownership"] == "Adopted"
