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
from fink_distribution.kafka.hooks import is_write
from fink_distribution.kafka.protocol import ProtocolClient
from fink_distribution.settings import Settings

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
        # Events change nothing, and the Lease is renewed all the time.
        if method != "GET" and not path.endswith("/events") and "/leases" not in path:
            count(f"{method} {path}")
        return found

    Cluster._request = counted  # type: ignore[method-assign]


def watch_kafka() -> None:
    call = KafkaAdmin.call

    def counted(self: KafkaAdmin, method: str, *arguments: Any, **options: Any) -> Any:
        found = call(self, method, *arguments, **options)
        if is_write(method):
            futures: list[Future[Any]] = list(found.values()) if isinstance(found, dict) else [found]
            # The last of a request's answers stands for the request.
            futures[-1].add_done_callback(lambda _: count(f"kafka {method}"))
        return found

    KafkaAdmin.call = counted  # type: ignore[method-assign]
    use = ProtocolClient.use

    async def counted_use(self: ProtocolClient, name: str, *arguments: Any) -> Any:
        found = await use(self, name, *arguments)
        if is_write(name):
            count(f"kafka {name}")
        return found

    ProtocolClient.use = counted_use  # type: ignore[method-assign]


watch_kubernetes()
watch_kafka()
sys.exit(run(Settings()))  # type: ignore[call-arg]
