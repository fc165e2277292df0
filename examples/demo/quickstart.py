"""The manifests of examples/quickstart, and what the demo has to know of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).resolve().parents[1] / "quickstart"
PLACEHOLDER = "kafka.example.org:9092"
_SERVER = re.compile(r"[A-Za-z0-9._-]+:[0-9]{1,5}|\[[0-9A-Fa-f:.]+\]:[0-9]{1,5}")

SYSTEM = "fink-system"
NAMESPACE = "fink-demo"
RELEASE = "fink-distribution"
ADMIN_SECRET = "kafka-admin"  # noqa: S105  its name
USER = "community"
STREAM = "ztf"
EMBARGOED = "fink-embargoed-ztf"
CLAIMS = ("science", "checkpoint")
GROUP_PREFIX = "community-"


@dataclass(frozen=True)
class Output:
    """An output of the stream: its name, its topic in Kafka, and its filter (`sql` or `python`; neither: every alert)."""

    name: str
    topic: str
    sql: str | None
    python: str | None


def connection(bootstrap: str) -> str:
    """The KafkaConnection with the brokers' addresses in place of the example's."""
    servers = [server.strip() for server in bootstrap.split(",") if server.strip()]
    wrong = [server for server in servers if not _SERVER.fullmatch(server)]
    if wrong or not servers:
        raise ValueError(
            f"KAFKA_BOOTSTRAP: {', '.join(wrong) or 'nothing'} is not host:port. Several go with commas between."
        )
    text = (FOLDER / "admin" / "connection.yaml").read_text()
    return text.replace(PLACEHOLDER, '", "'.join(servers))


def objects() -> list[dict[str, Any]]:
    """All objects of the tenant's manifests."""
    return [body for file in sorted(FOLDER.glob("*.yaml")) for body in yaml.safe_load_all(file.read_text()) if body]


def topics() -> dict[str, str]:
    """The name in Kafka of each AlertTopic."""
    found = [body for body in objects() if body["kind"] == "AlertTopic"]
    return {body["metadata"]["name"]: body["spec"].get("topicName", body["metadata"]["name"]) for body in found}


def stream() -> dict[str, Any]:
    """The DistributionStream."""
    return next(body for body in objects() if body["kind"] == "DistributionStream")


def outputs() -> list[Output]:
    """The stream's outputs."""
    names = topics()
    found = []
    for output in stream()["spec"]["outputs"]:
        chosen = output.get("filter") or {}
        topic = names[output["topicRef"]["name"]]
        found.append(Output(output["name"], topic, chosen.get("sql"), chosen.get("python")))
    return found


def source_folder() -> str:
    """The folder of the alerts inside their volume."""
    folder: str = stream()["spec"]["source"]["parquet"].get("path", "")
    return folder
