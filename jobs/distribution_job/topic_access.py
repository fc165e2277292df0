"""Whether a topic can be read, asked as the one who is to read it."""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from distribution_job.failures import BatchError, one_line
from distribution_job.kafka_client import client_config
from job_settings.kafka import Kafka

_ASK_SECONDS = 10.0


def problem(kafka: Kafka, topic: str, group: str) -> str | None:
    """What has to be waited for, and who mends it; None when the topic can be read."""
    try:
        login = client_config(kafka)
    except BatchError as error:
        return str(error)
    trouble: list[str] = []
    admin = AdminClient({**login, "error_cb": lambda error: trouble.append(error.str())})
    asked = admin.describe_topics(TopicCollection([topic]), request_timeout=_ASK_SECONDS)
    try:
        asked[topic].result(_ASK_SECONDS + 5)
    except (KafkaException, TimeoutError) as error:
        # A refused login only times out; the callback, which a poll calls, is told why.
        admin.poll(0)
        cause = error.args[0] if error.args else None
        code = cause.code() if isinstance(cause, KafkaError) else None
        if code == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return f"waiting for the topic {topic}, which does not exist: fink_kafka --create-topic {topic}"
        if code == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            user = login.get("sasl.username", "USER")
            return (
                f"waiting for the right to read {topic}: fink_kafka --authorization -a -u {user} -c {group} -t {topic}"
            )
        said = one_line(trouble[0] if trouble else str(cause or "no answer"), 400)
        return f"waiting for Kafka at {kafka.bootstrap_servers}, which cannot be asked: {said}"
    return None
