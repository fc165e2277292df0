"""Where the testbed keeps what it makes."""

from __future__ import annotations

from pathlib import Path

from fink_distribution.local_kafka.cache import cache_folder

SOURCE = Path(__file__).resolve().parent
CHECKOUT = SOURCE.parent.parent


def state() -> Path:
    """The folder of this checkout's testbed: data, logs, keys, process ids; gone after `down`."""
    return CHECKOUT / ".testbed"


def cache() -> Path:
    """What takes long to fetch or build, shared by all checkouts of the user and keyed by its inputs."""
    return cache_folder()
