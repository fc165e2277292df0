"""Debian packages that the testbed needs: installed when root, named with the command otherwise."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from testbed.commands import run
from testbed.errors import TestbedError
from testbed.steps import step

# What each level looks for, and the package that brings it. A path stands for itself, a name is looked for in PATH.
KAFKA = {"java": "openjdk-17-jdk-headless", "mvn": "maven"}
API = {**KAFKA, "openssl": "openssl"}
NODE = {
    **API,
    "containerd": "containerd",
    "ctr": "containerd",
    "runc": "runc",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "socat": "socat",
    "ip": "iproute2",
    "mount": "mount",
    "buildah": "buildah",
    "mmdebstrap": "mmdebstrap",
    "skopeo": "skopeo",
    "gcc": "gcc",
    "/usr/lib/x86_64-linux-gnu/libc.a": "libc6-dev",
}
LEVELS = {"kafka": KAFKA, "api": API, "node": NODE}
# Of single tests.
POSTGRES = {"/usr/lib/postgresql": "postgresql"}


def require(level: str) -> None:
    """See that the level has what it needs."""
    provide(LEVELS[level])


def provide(things: Mapping[str, str]) -> None:
    """See that the things are there, by their packages."""
    missing = sorted({package for thing, package in things.items() if not _there(thing)})
    if not missing:
        return
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *missing]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise TestbedError(f"Missing: {', '.join(missing)}. Install them: sudo {' '.join(install)}")
    with step(f"Installing {', '.join(missing)}"):
        quiet = {"DEBIAN_FRONTEND": "noninteractive"}
        try:
            run(install, log="apt", env=quiet)
        except TestbedError:
            # Lists that are missing or old name packages that the mirror no longer has.
            run(["apt-get", "update"], log="apt", env=quiet)
            run(install, log="apt", env=quiet)


def _there(thing: str) -> bool:
    if not thing.startswith("/"):
        return shutil.which(thing, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None
    return Path(thing).exists() or ("linux-gnu" in thing and any(Path("/usr/lib").glob("*/libc.a")))
