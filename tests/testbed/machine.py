"""What of the node is the machine's, not the checkout's: fixed places, and the claim that says whose the node is.

Only one node can run on a machine, since kube-proxy owns the packet filter. Its places are fixed, so that whoever comes next finds
what a crash has left, and short, since the path of a socket must be.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from testbed import paths
from testbed.errors import TestbedError
from testbed.processes import Processes

RUN = Path("/run/fink-distribution")
DATA = Path("/var/lib/fink-distribution")
CLAIM = RUN / "node.json"
SOCKET = RUN / "containerd.sock"
LOCK = RUN / "lock"

BRIDGE = "fink0"
BRIDGE_ADDRESS = "10.244.0.1"
BRIDGE_RANGE = "10.244.0.0/24"
NETWORK = "fink-distribution"
CGROUP = "fink-distribution"

PROCESSES = ("kubelet", "kube-proxy", "coredns", "containerd")


def require_root() -> None:
    """Complain with what works without."""
    if os.geteuid() != 0:
        raise TestbedError("The node level needs root. Without: `python -m testbed up --level api`.")


def owner() -> Path | None:
    """The checkout whose node runs, or crashed, on this machine."""
    return Path(json.loads(CLAIM.read_text())["checkout"]) if CLAIM.exists() else None


def owners_processes() -> Processes | None:
    """The processes that the owner wrote down."""
    checkout = owner()
    return Processes(checkout / paths.state().name) if checkout is not None else None


def refuse_if_another_lives() -> None:
    """Complain when another checkout's node runs, with the command that ends it."""
    checkout, processes = owner(), owners_processes()
    if checkout is None or processes is None or checkout == paths.CHECKOUT:
        return
    if any(processes.get(name) for name in PROCESSES):
        end = f"cd {checkout} && PYTHONPATH=tests python -m testbed down"
        raise TestbedError(
            f"The node of the checkout {checkout} runs on this machine, and only one can. To end it: {end}"
        )


def claim() -> None:
    """Write down that the node is this checkout's from now on."""
    RUN.mkdir(parents=True, exist_ok=True)
    DATA.mkdir(parents=True, exist_ok=True)
    half = CLAIM.with_suffix(".half")
    half.write_text(json.dumps({"checkout": str(paths.CHECKOUT), "state": str(paths.state()), "pid": os.getpid()}))
    half.rename(CLAIM)
