"""Where the testbed keeps what it makes."""

from __future__ import annotations

import os
from pathlib import Path

SOURCE = Path(__file__).resolve().parent
CHECKOUT = SOURCE.parent.parent


def state() -> Path:
    """The folder of this checkout's testbed: data, logs, keys, process ids; gone after `down`."""
    return CHECKOUT / ".testbed"


def cache() -> Path:
    """What takes long to fetch or build, shared by all checkouts of the user and keyed by its inputs."""
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "fink-distribution"
