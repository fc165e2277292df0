"""What Kafka's administrator sees: topics, credentials and permissions, asked of Kafka itself."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import (
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

_SECONDS = 20.0


def properties(file: Path) -> dict[str, str]:
    """The key=value lines of a librdkafka properties file."""
    lines = (line.strip().partition("=") for line in file.read_text().splitlines())
    return {key.strip(): value.strip() for key, _, value in lines if key.strip() and not key.startswith("#")}


class KafkaAdmin:
    """Kafka's administrator; `bootstrap` takes the place of the file's."""

    def __init__(self, file: Path, bootstrap: str) -> None:
        self._config = {**properties(file), "bootstrap.servers": bootstrap, "log_level": "0"}
        self._admin = AdminClient(dict(self._config))

    @property
    def login(self) -> tuple[str, str]:
        """The administrator's name and password. Raises ValueError when the file lacks them."""
        try:
            return self._config["sasl.username"], self._config["sasl.password"]
        except KeyError as error:
            raise ValueError(f"KAFKA_ADMIN_CONFIG lacks {error}: the operator logs in with SASL.") from None

    def topics(self, names: Iterable[str]) -> dict[str, int]:
        """How many messages each of the topics holds, ends of transactions included; those that are not there are left out."""
        there = self._admin.list_topics(timeout=_SECONDS).topics
        consumer = Consumer({**self._config, "group.id": "fink-demo-count"})
        try:
            found = {}
            for name in sorted(set(names) & there.keys()):
                count = 0
                for partition in there[name].partitions:
                    marks = consumer.get_watermark_offsets(TopicPartition(name, partition), timeout=_SECONDS)
                    count += marks[1] - marks[0] if marks else 0
                found[name] = count
            return found
        finally:
            consumer.close()

    def delete_topics(self, names: Iterable[str]) -> None:
        """Delete them with their messages."""
        for future in self._admin.delete_topics(list(names), operation_timeout=_SECONDS).values():
            future.result(_SECONDS)

    def credentials(self, users: Iterable[str]) -> list[str]:
        """Those of the users that can log in."""
        found = []
        for user, future in self._admin.describe_user_scram_credentials(sorted(users)).items():
            try:
                future.result(_SECONDS)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.RESOURCE_NOT_FOUND:
                    raise
            else:
                found.append(user)
        return found

    def permissions(self, users: Iterable[str]) -> int:
        """How many bindings the users have together."""
        return sum(len(self._admin.describe_acls(_bindings_of(user)).result(_SECONDS)) for user in users)


def _bindings_of(user: str) -> AclBindingFilter:
    return AclBindingFilter(
        ResourceType.ANY, None, ResourcePatternType.ANY, f"User:{user}", None, AclOperation.ANY, AclPermissionType.ANY
    )
