"""Removing all that a node leaves on the machine, whoever made it and however it ended."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path

import psutil

from fink_distribution.local_kafka.processes import end
from testbed import cgroups, machine, packet_filter
from testbed.commands import run
from testbed.errors import TestbedError

SHIM = "containerd-shim-runc-v2"


def clean() -> None:
    """Remove the node that the claim names, or whose data outlived the claim when the machine was restarted."""
    processes = machine.owners_processes()
    if processes is None and not machine.DATA.exists():
        return
    if processes is not None:
        for name in machine.PROCESSES:
            processes.stop(name)
    _end_the_rest()
    cgroups.end_all()
    for folder in (machine.RUN, machine.DATA):
        unmount_below(folder)
    with contextlib.suppress(TestbedError):  # there is none
        run(["ip", "link", "delete", machine.BRIDGE])
    packet_filter.clean()
    _forget_network()
    shutil.rmtree(machine.DATA, ignore_errors=True)
    for thing in list(machine.RUN.glob("*")):
        if thing.is_dir():
            shutil.rmtree(thing, ignore_errors=True)
        elif thing not in {machine.LOCK, machine.CLAIM}:
            thing.unlink()
    # Last: as long as it is there, the next run cleans again.
    machine.CLAIM.unlink(missing_ok=True)


def unmount_below(folder: Path) -> None:
    """Unmount all that is mounted there, the deepest first."""
    mounted = [
        line.split()[1].encode().decode("unicode_escape") for line in Path("/proc/self/mounts").read_text().splitlines()
    ]
    for target in sorted((m for m in mounted if Path(m).is_relative_to(folder)), key=len, reverse=True):
        run(["umount", "--lazy", target])


def _end_the_rest() -> None:
    """End what no record names: containerd's shims, and all parts of a node whose checkout is deleted.

    Each of them was given a file below our fixed folder, and nothing else on the machine is.
    """
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or [""]
        given = any(f"{machine.RUN}/" in word for word in words[1:])
        if given and Path(words[0]).name in {SHIM, *machine.PROCESSES}:
            end(process)


def _forget_network() -> None:
    """What CNI and kubelet write to places that no setting moves."""
    for file in Path("/var/lib/cni/results").glob(f"{machine.NETWORK}-*"):
        file.unlink()
    for link in Path("/var/log/containers").glob("*.log"):
        if link.is_symlink() and link.readlink().is_relative_to(machine.DATA):
            link.unlink()
