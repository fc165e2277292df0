"""The folder of a broker's data: made ready once, with the administrator in it."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fink_distribution.local_kafka.java import kafka_command
from fink_distribution.local_kafka.private import write_private
from fink_distribution.local_kafka.server_properties import Account
from fink_distribution.resources.credentials import java_quoted

_META = "meta.properties"


def new_cluster_id() -> str:
    """Return an id for a cluster that is to be."""
    return base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")


def cluster_id(data: Path) -> str | None:
    """Return the id of the cluster whose data a folder holds; None when it holds none."""
    file = data / _META
    if not file.exists():
        return None
    lines = file.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)["cluster.id"]


@contextmanager
def format_command(
    java: str, libraries: Path, properties: Path, cluster: str, admin: Account | None
) -> Iterator[list[str]]:
    """Give the command that makes a broker's folder ready; its arguments lie in a file, so that no password is in the process list.

    Parameters
    ----------
    properties
        The broker's settings.
    cluster
        The cluster's id.
    admin
        The first user of a new cluster; None for a broker that joins one.
    """
    scram = [] if admin is None else ["--add-scram", f"SCRAM-SHA-512=[name={admin.user},password={admin.password}]"]
    words = ["format", f"--cluster-id={cluster}", "-c", str(properties), *scram]
    program, *arguments = kafka_command(java, libraries, "kafka.tools.StorageTool", *words)
    file = properties.with_name("format.args")
    write_private(file, "\n".join(map(java_quoted, arguments)))
    try:
        yield [program, f"@{file}"]
    finally:
        file.unlink()
