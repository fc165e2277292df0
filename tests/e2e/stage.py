"""A namespace on the real node in which the installed operator runs streams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from cluster.operator.logins import client_config
from cluster.operator.scene import Scene
from demo.science_alerts import write
from e2e.reader import Received, read_all
from testbed.fixtures import wait_for

GIGABYTE = {"resources": {"requests": {"storage": "1Gi"}}, "accessModes": ["ReadWriteOnce"], "storageClassName": ""}


@dataclass
class Stage:
    """Streams, each with folders of its own."""

    scene: Scene
    folder: Path

    def science(self, stream: str) -> Path:
        """Return the folder that a stream reads."""
        return self.folder / f"{stream}-science" / "alerts"

    def volumes(self, stream: str) -> None:
        """Make a stream's two claims, each bound to a folder of the host."""
        for use in ("science", "checkpoint"):
            name = f"{stream}-{use}"
            place = self.folder / name
            place.mkdir(parents=True)
            place.chmod(0o777)
            volume = {
                "apiVersion": "v1",
                "kind": "PersistentVolume",
                "metadata": {"name": f"{self.scene.namespace}-{name}", "labels": {"fink-e2e": self.scene.namespace}},
                "spec": {
                    "capacity": {"storage": "1Gi"},
                    "accessModes": ["ReadWriteOnce"],
                    "persistentVolumeReclaimPolicy": "Retain",
                    "storageClassName": "",
                    "hostPath": {"path": str(place)},
                    "claimRef": {"namespace": self.scene.namespace, "name": name},
                },
            }
            metadata = {"name": name, "namespace": self.scene.namespace}
            claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": GIGABYTE}
            self.scene.apply(volume, claim)

    def stream(self, name: str, outputs: Sequence[Mapping[str, Any]], **spec: Any) -> dict[str, Any]:
        """Return a stream; one that says nothing of executors does its work in the driver."""
        return self.scene.manifest(
            "DistributionStream",
            name,
            {
                # A folder that nobody has made yet: the stream has to be Ready all the same.
                "source": {"parquet": {"claimName": f"{name}-science", "path": "alerts"}},
                "checkpoint": {"claimName": f"{name}-checkpoint"},
                "outputs": [{"topicRef": {"name": f"{name}-{output['name']}"}, **output} for output in outputs],
                "run": {"intervalSeconds": 1},
                "executors": {"instances": 0},
                "driver": {"cpu": "100m"},
                **spec,
            },
        )

    def topic(self, stream: str, output: str) -> str:
        """Return the topic's name in Kafka of a stream's output."""
        return self.scene.name(f"{stream}-{output}")

    def play(self, name: str, outputs: Sequence[Mapping[str, Any]], partitions: int = 3, **spec: Any) -> None:
        """Apply all that a stream needs, and the stream."""
        self.volumes(name)
        topics = [
            self.scene.manifest(
                "AlertTopic",
                f"{name}-{output['name']}",
                {"topicName": self.topic(name, output["name"]), "partitions": partitions},
            )
            for output in outputs
        ]
        self.scene.apply(*topics, self.stream(name, outputs, **spec))

    def reader(self, name: str, topics: Sequence[str]) -> dict[str, str]:
        """Make a user that may read topics; return its Secret's content."""
        user = self.scene.name(name)
        consumer = {"topics": [{"name": topic} for topic in topics], "group": {"name": user, "patternType": "Prefixed"}}
        self.scene.apply(
            self.scene.manifest("KafkaUser", name, {"userName": user}),
            self.scene.manifest("KafkaAcl", name, {"userRef": {"name": name}, "consumer": consumer}),
        )
        self.scene.ready("kafkaacl", name, "Reconciled")
        return self.scene.secret(name)

    def drop(self, stream: str, table: pa.Table, files: int = 2) -> None:
        """Put alerts into a stream's folder."""
        for path in write(self.science(stream), table, files):
            for place in (path, *path.parents):
                if place == self.folder:
                    break
                place.chmod(0o777 if place.is_dir() else 0o644)

    def received(self, secret: Mapping[str, str], topic: str, at_least: int, timeout: float = 180) -> list[Received]:
        """Read a topic until it holds so many messages; return all that it holds."""

        def look() -> list[Received]:
            found = read_all(client_config(secret), topic)
            assert len(found) >= at_least, f"{len(found)} messages in {topic}"
            return found

        return wait_for(look, timeout=timeout, what=f"{topic} holds {at_least} messages") if at_least else look()

    def progress(self, stream: str) -> dict[str, Any]:
        """Return what the driver says."""
        found: dict[str, Any] = self.scene.status("distributionstream", stream).get("progress", {})
        return found
