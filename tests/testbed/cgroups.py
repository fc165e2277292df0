"""The control groups of the node's pods: all below one of ours, so that after any crash every process of a pod can be found."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

from testbed.machine import CGROUP
from testbed.polling import poll

ROOT = Path("/sys/fs/cgroup")


def prepare() -> None:
    """Make our group in each hierarchy (version 1) or in the one there is (version 2)."""
    for group in _groups():
        group.mkdir(exist_ok=True)
        # A new group of version 1 may use no processor and no memory until it is told.
        for file in ("cpuset.cpus", "cpuset.mems"):
            source, target = group.parent / file, group / file
            if source.exists() and target.exists() and not target.read_text().strip():
                target.write_text(source.read_text())


def end_all() -> None:
    """Kill all processes of the groups and remove them."""
    for pid in _pids():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    poll(lambda: not _pids(), 10)
    for group in _groups():
        folders = [group, *group.rglob("*/")] if group.exists() else []
        for folder in sorted(folders, key=lambda f: len(f.parts), reverse=True):
            with contextlib.suppress(OSError):
                folder.rmdir()


def _groups() -> list[Path]:
    if (ROOT / "cgroup.controllers").exists():
        return [ROOT / CGROUP]
    return [h / CGROUP for h in sorted(ROOT.iterdir()) if h.is_dir() and not h.is_symlink()]


def _pids() -> set[int]:
    found: set[int] = set()
    for group in _groups():
        for file in group.rglob("cgroup.procs"):
            with contextlib.suppress(OSError):
                found.update(int(word) for word in file.read_text().split())
    return found
