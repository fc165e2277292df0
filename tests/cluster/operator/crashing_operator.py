"""The operator, ended by SIGKILL right after its n-th write to Kafka or to the API server has been answered.

    python crashing_operator.py COUNT_FILE N

COUNT_FILE gets a line for each write. With N = 0 it never ends by itself.
"""

from __future__ import annotations

import os
import signal
import sys
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from fink_distribution.cluster.api import Cluster
from fink_distribution.handlers.run import run
from fink_distribution.kafka.admin import KafkaAdmin
from fink_distribution.settings import Settings

KAFKA_READS = ("describe", "list")

count_file, last = Path(sys.argv[1]), int(sys.argv[2])
written = 0


def count(what: str) -> None:
    """Note a write, and die if it is the one."""
    global written  # noqa: PLW0603 - it counts the writes of the process
    written += 1
    with count_file.open("a") as file:
        file.write(f"{what}\n")
    if written == last:
        os.kill(os.getpid(), signal.SIGKILL)


def watch_kubernetes() -> None:
    request = Cluster._request

    async def counted(self: Cluster, method: str, path: str, *arguments: Any, **options: Any) -> Any:
        found = await request(self, method, path, *arguments, **options)
        if method != "GET" and not path.endswith("/events"):
            count(f"{method} {path}")
        return found

    Cluster._request = counted  # type: ignore[method-assign]


def watch_kafka() -> None:
    call = KafkaAdmin.call

    def counted(self: KafkaAdmin, method: str, *arguments: Any, **options: Any) -> Any:
        found = call(self, method, *arguments, **options)
        if not method.startswith(KAFKA_READS):
            futures: list[Future[Any]] = list(found.values()) if isinstance(found, dict) else [found]
            # The last of a request's answers stands for the request.
            futures[-1].add_done_callback(lambda _: count(f"kafka {method}"))
        return found

    KafkaAdmin.call = counted  # type: ignore[method-assign]


watch_kubernetes()
watch_kafka()
run(Settings())  # type: ignore[call-arg]
