"""What a process and all that it started use of the machine."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def _children() -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue  # it has ended
        found.setdefault(parent, []).append(int(stat.parent.name))
    return found


def members(root: int) -> Iterator[int]:
    """The process and its descendants."""
    children, waiting = _children(), [root]
    while waiting:
        yield (one := waiting.pop())
        waiting += children.get(one, [])


def cpu_seconds(root: int) -> float:
    """Of all that live now, and of those that they have waited for."""
    ticks = 0
    for one in members(root):
        try:
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15]))
    return ticks / _TICKS


def memory_mib(root: int) -> float:
    """Memory in proportion to those who share it (PSS), which may be added up."""
    kibibytes = 0
    for one in members(root):
        try:
            lines = Path(f"/proc/{one}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        kibibytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kibibytes / 1024


@contextmanager
def repeated(seconds: float, look: Callable[[], None]) -> Iterator[None]:
    """Call `look` every so many seconds while it is open."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(seconds):
            look()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@dataclass
class Peak:
    """The most memory that was seen."""

    mib: float = 0.0


@contextmanager
def peak(root: int) -> Iterator[Peak]:
    """The most memory while it is open, looked at twice a second."""
    found = Peak()

    def look() -> None:
        found.mib = max(found.mib, memory_mib(root))

    with repeated(0.5, look):
        yield found
