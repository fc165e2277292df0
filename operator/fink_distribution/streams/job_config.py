"""The job's configuration: one JSON document, as schemas/stream-job.schema.json describes it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fink_distribution.resources.distribution_stream import DistributionStream, Output, Pods, Registry
from fink_distribution.resources.kafka_connection import CA_KEY, KafkaConnection
from fink_distribution.resources.keys import Key
from fink_distribution.resources.stream_source import EARLIEST, StreamSource
from fink_distribution.streams import layout

_MEBIBYTES = {"Mi": 1, "Gi": 1024}


@dataclass(frozen=True)
class Surroundings:
    """What a stream needs to know that its own spec does not say.

    Attributes
    ----------
    connection
        How its own user reaches Kafka.
    topics
        The name in Kafka of each output's AlertTopic.
    image
        The job's image.
    """

    connection: KafkaConnection
    mechanism: str
    topics: Mapping[Key, str]
    image: str
    image_pull_policy: str


def job_config(stream: DistributionStream, around: Surroundings) -> dict[str, Any]:
    """Return the document that the driver reads. It holds no secret."""
    registry = {} if stream.registry is None else {"registry": _registry(stream.registry)}
    has_nights = any(output.max_bytes_per_night is not None for output in stream.outputs)
    night = {"nightBeginsAtHour": stream.night_begins_at_hour} if has_nights else {}
    return {
        "version": 1,
        "stream": {"namespace": stream.namespace, "name": stream.name},
        "source": _source(stream.source, around),
        "checkpoint": {"path": _below(layout.CHECKPOINT_DIRECTORY, stream.checkpoint_path)},
        "kafka": kafka_settings(around.connection, around.mechanism),
        **registry,
        "delivery": _delivery(stream),
        **night,
        "outputs": [_output(output, around.topics[output.topic]) for output in stream.outputs],
        "trigger": {"intervalSeconds": stream.interval_seconds},
        "progress": {"to": "kubernetes"},
        "metrics": {"port": layout.METRICS_PORT},
        "spark": {"conf": spark_conf(stream, around)},
    }


def _source(source: StreamSource, around: Surroundings) -> dict[str, Any]:
    part = dict(source.settings)
    if source.claim is not None:
        part["path"] = _below(source.mount, source.path)
    if source.topic is not None:
        part["topic"] = around.topics[source.topic]
    if source.credentials is not None:
        part["credentialsDirectory"] = layout.DATABASE_DIRECTORY
    if source.ca is not None:
        part["caFile"] = f"{layout.DATABASE_DIRECTORY}/{CA_KEY}"
    found = {"type": source.type, **({source.type: part} if source.is_staged else part)}
    if source.id_column:
        found["idColumn"] = source.id_column
    if source.starting_from != EARLIEST:
        found["startingFrom"] = source.starting_from
    return found


def kafka_settings(connection: KafkaConnection, mechanism: str) -> dict[str, Any]:
    """Return how a user of the stream's reaches Kafka, its Secret being mounted at `layout.KAFKA_DIRECTORY`."""
    found: dict[str, Any] = {
        "bootstrapServers": connection.client_bootstrap_servers,
        "securityProtocol": connection.client_protocol,
        "saslMechanism": mechanism,
        "credentialsDirectory": layout.KAFKA_DIRECTORY,
    }
    if connection.has_ca:
        found["caFile"] = f"{layout.KAFKA_DIRECTORY}/{CA_KEY}"
    if not connection.verify_hostname:
        found["verifyHostname"] = False
    return found


def _registry(registry: Registry) -> dict[str, str]:
    found = {"url": registry.url}
    if registry.credentials:
        found["credentialsDirectory"] = layout.REGISTRY_DIRECTORY
    if registry.ca:
        found["caFile"] = f"{layout.REGISTRY_DIRECTORY}/{CA_KEY}"
    return found


def _delivery(stream: DistributionStream) -> dict[str, str]:
    found = {"guarantee": stream.delivery}
    if stream.transactional_id is not None:
        found["transactionalId"] = stream.transactional_id
    return found


def spark_conf(stream: DistributionStream, around: Surroundings) -> dict[str, str]:
    """Return the Spark properties; the driver adds its own pod's name and address."""
    conf = {
        "spark.app.name": f"{stream.namespace}.{stream.name}",
        "spark.driver.memory": f"{driver_heap(stream.driver)}m",
    }
    if stream.executors.instances == 0:
        # One task per core of the pod's request, at least two so that reading and publishing overlap.
        return {**conf, "spark.master": "local[2]"}
    heap, overhead = executor_memory(stream.executors)
    return {
        **conf,
        "spark.master": "k8s://https://kubernetes.default.svc:443",
        "spark.kubernetes.namespace": stream.namespace,
        "spark.kubernetes.container.image": around.image,
        "spark.kubernetes.container.image.pullPolicy": around.image_pull_policy,
        "spark.executor.instances": str(stream.executors.instances),
        "spark.executor.cores": str(stream.executors.cores),
        "spark.executor.memory": f"{heap}m",
        "spark.executor.memoryOverhead": f"{overhead}m",
        "spark.kubernetes.executor.request.cores": stream.executors.cpu,
        "spark.kubernetes.executor.podTemplateFile": f"{layout.JOB_DIRECTORY}/{layout.EXECUTOR_TEMPLATE}",
        "spark.kubernetes.executor.podTemplateContainerName": layout.EXECUTOR_CONTAINER,
        # The executors read nothing from Spark's own ConfigMap, so the driver needs no right to make one.
        "spark.kubernetes.executor.disableConfigMap": "true",
        # An endless job must not die of failures that are weeks apart.
        "spark.executor.maxNumFailures": str(max(10, 2 * stream.executors.instances)),
        "spark.executor.failuresValidityInterval": "1h",
    }


def driver_heap(pods: Pods) -> int:
    """Return the driver's heap in MiB: half of the pod, since Python and the JVM's own needs share the rest."""
    return mebibytes(pods.memory) // 2


def executor_memory(pods: Pods) -> tuple[int, int]:
    """Return an executor's heap and overhead in MiB, together the pod's memory.

    Spark's overhead factor for Python is 0.4 of the heap, but only spark-submit applies it; in client mode it is set by hand.
    """
    total = mebibytes(pods.memory)
    overhead = max(384, total * 4 // 14)
    return total - overhead, overhead


def mebibytes(quantity: str) -> int:
    """Read a memory quantity in Mi or Gi, the only units that the schema lets through."""
    match = re.fullmatch(r"(\d+)(Mi|Gi)", quantity)
    if match is None:
        raise ValueError(f"{quantity!r} is not a memory quantity in Mi or Gi")
    return int(match[1]) * _MEBIBYTES[match[2]]


def _below(directory: str, path: str) -> str:
    return f"{directory}/{path.strip('/')}".rstrip("/")


def _output(output: Output, topic: str) -> dict[str, Any]:
    found: dict[str, Any] = {"name": output.name, "topic": topic}
    if output.filter:
        found["filter"] = dict(output.filter)
    if output.select:
        found["select"] = list(output.select)
    if output.drop:
        found["drop"] = list(output.drop)
    if output.rename:
        found["rename"] = dict(output.rename)
    for name in ("format", "compatibility"):
        value = getattr(output, name)
        if value != getattr(Output, name):
            found[name] = value
    if output.max_match_percent is not None:
        found["maxMatchPercent"] = output.max_match_percent
    if output.max_alerts_per_batch is not None:
        found["maxAlertsPerBatch"] = output.max_alerts_per_batch
    if output.max_bytes_per_night is not None:
        found["maxBytesPerNight"] = output.max_bytes_per_night
    return found
