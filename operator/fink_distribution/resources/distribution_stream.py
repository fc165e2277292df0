"""DistributionStream: one read of the science database, many outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fink_distribution.resources.kafka_connection import authority, connection_name
from fink_distribution.resources.keys import Body, Key, Kind
from fink_distribution.resources.slack import Slack
from fink_distribution.resources.stream_source import StreamSource

EXACTLY_ONCE = "ExactlyOnce"


@dataclass(frozen=True)
class Output:
    """One output: a filter, a topic and a choice of columns."""

    name: str
    topic: Key
    filter: Mapping[str, Any] | None = None
    select: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    rename: Mapping[str, str] | None = None
    format: str = "SchemaInKey"
    compatibility: str = "ForwardTransitive"
    max_match_percent: int | None = None
    max_alerts_per_batch: int | None = None
    max_bytes_per_night: int | None = None


@dataclass(frozen=True)
class Registry:
    """A schema registry.

    Attributes
    ----------
    credentials
        The Secret with username and password, or None.
    ca
        (kind, name, key) of the Secret or ConfigMap with the authority's certificates; None for those that are trusted anyway.
    """

    url: str
    credentials: str | None
    ca: tuple[str, str, str] | None


@dataclass(frozen=True)
class Pods:
    """The size of the driver's or of each executor's pod."""

    cpu: str
    memory: str
    instances: int = 1
    cores: int = 1


@dataclass(frozen=True)
class DistributionStream:
    """The spec of a DistributionStream."""

    namespace: str
    name: str
    connection: str
    source: StreamSource
    checkpoint_claim: str
    checkpoint_path: str
    interval_seconds: int
    delivery: str
    outputs: tuple[Output, ...]
    registry: Registry | None
    driver: Pods
    executors: Pods
    image: str | None
    suspend: bool
    slack: Slack | None = None
    night_begins_at_hour: int = 18
    labels: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, body: Body) -> DistributionStream:
        """Read the spec of an object that the API server has checked."""
        spec, namespace, name = body["spec"], body["metadata"]["namespace"], body["metadata"]["name"]
        checkpoint = spec["checkpoint"]
        driver, executors = spec.get("driver") or {}, spec.get("executors") or {}
        cores = executors.get("cores", 1)
        return cls(
            namespace=namespace,
            name=name,
            connection=connection_name(body),
            source=StreamSource.of(namespace, spec["source"]),
            checkpoint_claim=checkpoint["claimName"],
            checkpoint_path=checkpoint.get("path") or name,
            interval_seconds=(spec.get("run") or {}).get("intervalSeconds", 2),
            delivery=spec.get("delivery", EXACTLY_ONCE),
            outputs=tuple(_output(namespace, item) for item in spec["outputs"]),
            registry=_registry(spec["registry"]) if "registry" in spec else None,
            driver=Pods(driver.get("cpu", "250m"), driver.get("memory", "2Gi")),
            executors=Pods(
                cpu=executors.get("cpu", str(cores)),
                memory=executors.get("memory", "2Gi"),
                instances=executors.get("instances", 1),
                cores=cores,
            ),
            image=spec.get("image"),
            suspend=spec.get("suspend", False),
            slack=Slack.of(spec["slack"]) if spec.get("slack") else None,
            night_begins_at_hour=spec.get("nightBeginsAtHour", cls.night_begins_at_hour),
        )

    @property
    def child_name(self) -> str:
        """The name of the stream's own KafkaUser, KafkaAcl, Secret, ServiceAccount and Role."""
        return f"{self.name}-stream"

    @property
    def user_name(self) -> str:
        """The stream's user in Kafka; Kafka's names are global, so the namespace is part of it."""
        return f"{self.namespace}.{self.name}-stream"

    @property
    def transactional_id(self) -> str | None:
        """The producer's transactional id, and the group that holds the marks of its transactions; None without transactions."""
        return self.user_name if self.delivery == EXACTLY_ONCE else None

    @property
    def driver_name(self) -> str:
        """The name of the StatefulSet."""
        return f"{self.name}-driver"

    @property
    def driver_pod(self) -> str:
        """The name of the driver's pod."""
        return f"{self.driver_name}-0"

    @property
    def config_name(self) -> str:
        """The name of the ConfigMap with the job's configuration."""
        return f"{self.name}-job"

    @property
    def notifier_name(self) -> str:
        """The name of all that the Slack notifier has: Deployment, ConfigMap, KafkaUser, KafkaAcl and Secret."""
        return f"{self.name}-slack"

    @property
    def notifier_user(self) -> str:
        """The notifier's user in Kafka, and its consumer group; none of another stream's names is the same."""
        return f"{self.namespace}.{self.notifier_name}"

    @property
    def announced(self) -> tuple[Output, ...]:
        """The outputs whose alerts the notifier reads; their order is that of the spec."""
        slack = self.slack
        return () if slack is None else tuple(output for output in self.outputs if slack.reads(output.name))

    @property
    def own_names(self) -> tuple[str, ...]:
        """The names in Kafka that the stream gives its users."""
        return (self.user_name,) if self.slack is None else (self.user_name, self.notifier_user)


def _registry(fields: Mapping[str, Any]) -> Registry:
    return Registry(fields["url"], (fields.get("credentialsSecretRef") or {}).get("name"), authority(fields))


def _output(namespace: str, item: Mapping[str, Any]) -> Output:
    return Output(
        name=item["name"],
        topic=Key(Kind.ALERT_TOPIC, namespace, item["topicRef"]["name"]),
        filter=item.get("filter"),
        select=tuple(item.get("select") or ()),
        drop=tuple(item.get("drop") or ()),
        rename=item.get("rename"),
        format=item.get("format", Output.format),
        compatibility=item.get("compatibility", Output.compatibility),
        max_match_percent=item.get("maxMatchPercent"),
        max_alerts_per_batch=item.get("maxAlertsPerBatch"),
        max_bytes_per_night=item.get("maxBytesPerNight"),
    )
