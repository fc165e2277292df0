"""Clients that log in with what a Secret holds."""

from __future__ import annotations

from collections.abc import Mapping

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

LIBRDKAFKA = ("bootstrap.servers", "security.protocol", "sasl.mechanism")


def client_config(secret: Mapping[str, str]) -> dict[str, str | int]:
    """Return librdkafka's settings for a Secret of a KafkaUser."""
    named = {key: secret[key] for key in LIBRDKAFKA}
    trusted = {"ssl.ca.pem": secret["ca.crt"]} if "ca.crt" in secret else {}
    login = {"sasl.username": secret["username"], "sasl.password": secret["password"]}
    return {**named, **trusted, **login, "log_level": 0}


def can_log_in(secret: Mapping[str, str]) -> bool:
    """Say whether the broker lets the user in. One that is let in but may do nothing is still let in."""
    refused: list[KafkaError] = []
    client = Producer({**client_config(secret), "error_cb": refused.append})
    try:
        client.list_topics(timeout=3)
    except KafkaException:
        client.poll(0)
        return not any(error.code() == KafkaError._AUTHENTICATION for error in refused)
    return True


def read(secret: Mapping[str, str], topic: str, group: str) -> list[bytes]:
    """Read a topic from its beginning as a member of a group; raises KafkaException when it may not."""
    config = {**client_config(secret), "group.id": group, "auto.offset.reset": "earliest", "enable.partition.eof": True}
    consumer = Consumer(config)
    consumer.subscribe([topic])
    found, ended = [], set[int]()
    try:
        count: int | None = None
        while count is None or len(ended) < count:
            message = consumer.poll(20)
            if message is None:
                raise TimeoutError(f"nothing from {topic} in 20 s")
            error = message.error()
            if error is not None and error.code() == KafkaError._PARTITION_EOF:
                ended.add(message.partition())
                count = len(consumer.list_topics(topic, timeout=10).topics[topic].partitions)
            elif error is not None:
                raise KafkaException(error)
            else:
                found.append(message.value())
    finally:
        consumer.close()
    return found


def write(secret: Mapping[str, str], topic: str, value: bytes) -> None:
    """Write one message; raises KafkaException when it may not."""
    failed: list[KafkaError] = []
    producer = Producer({**client_config(secret), "message.timeout.ms": 5000})
    producer.produce(
        topic, value, partition=TopicPartition(topic, 0).partition, on_delivery=lambda error, _: failed.append(error)
    )
    producer.flush(10)
    if failed[0] is not None:
        raise KafkaException(failed[0])
