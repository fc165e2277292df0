"""What the broker says of the outputs' topics, asked as the stream's own user."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AclOperation, AdminClient, ConfigResource

from distribution_job.failures import BatchError, Failure, Reason, one_line
from distribution_job.kafka_client import client_config
from job_settings.kafka import Kafka

_TIMEOUT = 15.0  # seconds
_MAY_WRITE = {AclOperation.WRITE, AclOperation.ALL}


@dataclass(frozen=True)
class Topic:
    """`largest`: its max.message.bytes; None when the user may not see it (that takes DescribeConfigs)."""

    name: str
    partitions: int
    largest: int | None = None


class Topics:
    """The partitions of topics, remembered for `lifetime` seconds.

    Whether Write is allowed is asked too (KIP-430), so that one topic's missing ACL is known before a batch is sent; and
    that Kafka is away is known in seconds, where the producer would try for minutes.
    """

    def __init__(self, kafka: Kafka, lifetime: float = 2.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._kafka = kafka
        self._lifetime = lifetime
        self._clock = clock
        self._known: dict[str, Topic | Failure] = {}
        self._asked = float("-inf")
        self._trouble = ""
        self._admin: AdminClient | None = None
        self._login: dict[str, object] = {}

    def describe(self, names: Iterable[str], fresh: bool = False) -> dict[str, Topic | Failure]:
        """Each topic, or why nothing can be sent to it; `fresh`: whatever is remembered.

        Raises BatchError (KafkaUnavailable) when no broker answers.
        """
        wanted = sorted(set(names))
        # A failure is not remembered: the topic may be made at any moment.
        known = all(isinstance(self._known.get(name), Topic) for name in wanted)
        if fresh or not known or self._clock() - self._asked > self._lifetime:
            self._known |= self._ask(wanted)
            self._asked = self._clock()
        return {name: self._known[name] for name in wanted}

    def _ask(self, names: list[str]) -> dict[str, Topic | Failure]:
        self._trouble = ""
        found: dict[str, Topic | Failure] = {}
        login = client_config(self._kafka)
        if self._admin is None or login != self._login:  # the files' credentials may have been rotated
            self._admin, self._login = AdminClient({**login, "error_cb": self._note_trouble}), login
        asked = self._admin.describe_topics(
            TopicCollection(names), include_authorized_operations=True, request_timeout=_TIMEOUT
        )
        limits = self._limits(self._admin, names)
        for name, future in asked.items():
            try:
                description = future.result(_TIMEOUT + 5)
            except KafkaException as error:
                found[name] = self._refusal(name, error.args[0])
                continue
            except TimeoutError as error:
                raise self._away("no answer") from error
            if _MAY_WRITE & set(description.authorized_operations or _MAY_WRITE):
                found[name] = Topic(name, len(description.partitions), limits.get(name))
            else:
                found[name] = _unavailable(
                    f"The user may see the topic {name} but not write to it. Grant it Write there."
                )
        return found

    def _limits(self, admin: AdminClient, names: list[str]) -> dict[str, int]:
        asked = admin.describe_configs(
            [ConfigResource(ConfigResource.Type.TOPIC, name) for name in names], request_timeout=_TIMEOUT
        )
        found = {}
        for resource, future in asked.items():
            # Not allowed, not there, no broker: what matters of these, the description itself says.
            with contextlib.suppress(KafkaException, TimeoutError):
                found[resource.name] = int(future.result(_TIMEOUT + 5)["max.message.bytes"].value)
        return found

    def _refusal(self, name: str, error: KafkaError) -> Failure:
        code = error.code()
        if code == KafkaError.UNKNOWN_TOPIC_OR_PART:
            return _unavailable(f"The topic {name} does not exist. Create it, or correct the output's topic.")
        if code == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            return _unavailable(f"The user may not see the topic {name}. Grant it Describe and Write there.")
        if code == KafkaError.TOPIC_EXCEPTION:
            return _unavailable(
                f"{name} is not a name that Kafka allows for a topic. Use letters, digits, '.', '_' and '-'."
            )
        raise self._away(error.str())

    def _away(self, said: str) -> BatchError:
        if self._admin is not None:
            # Has error_cb told the cause; the call itself says only that it timed out.
            self._admin.poll(0)
        self._admin = None
        return BatchError(
            Reason.KAFKA_UNAVAILABLE,
            f"Kafka at {self._kafka.bootstrap_servers} cannot be asked about the topics: {one_line(self._trouble or said, 400)}. "
            "Check that the brokers run, that they can be reached from here, and the user's credentials.",
        )

    def _note_trouble(self, error: KafkaError) -> None:
        # The first is the cause; "all brokers down" follows it.
        self._trouble = self._trouble or error.str()


def _unavailable(message: str) -> Failure:
    return Failure(Reason.TOPIC_UNAVAILABLE, message)
