"""TCP ports that are free, and the same ones each time while they are."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator

# Below the kernel's own range for outgoing connections (32768 up), so that none of those takes a port between our look and
# the server's start.
LOWEST, HIGHEST = 20000, 32000


def is_open(host: str, port: int) -> bool:
    """Whether something listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def pick(name: str) -> int:
    """A free port for that name: two checkouts, or two brokers of one test run, start looking in different places."""
    for port in _candidates(name):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0", port))  # noqa: S104 - bound for a moment, to see that nobody has it
            except OSError:
                continue
            return port
    raise RuntimeError("no free TCP port")


def _candidates(name: str) -> Iterator[int]:
    start = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4])
    for i in range(HIGHEST - LOWEST):
        yield LOWEST + (start + i) % (HIGHEST - LOWEST)
