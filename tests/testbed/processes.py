"""The long-running processes: started apart from us, written down, and ended only when surely ours."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

from fink_distribution.local_kafka.processes import end, find, identify, tail
from testbed.commands import check_not_abandoned
from testbed.errors import TestbedError
from testbed.polling import poll


class Processes:
    """The processes that a state folder records, one file each."""

    def __init__(self, state: Path) -> None:
        self.records = state / "processes"
        self.logs = state / "logs"

    def start(
        self,
        name: str,
        args: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        with_us: bool = False,
    ) -> psutil.Process:
        """Start a process whose output goes to `logs/<name>.log`. `with_us`: it is of no use once this process is gone."""
        check_not_abandoned()
        self.records.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        with (self.logs / f"{name}.log").open("ab") as log:
            child = subprocess.Popen(
                [str(a) for a in args],
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                cwd="/",
            )
        record = {**identify(child.pid), "owner": identify(os.getpid()) if with_us else None}
        (self.records / f"{name}.json").write_text(json.dumps(record))
        return psutil.Process(child.pid)

    def names(self) -> list[str]:
        """All that are written down, alive or not, but without those that belong to a process that still runs."""
        return sorted(p.stem for p in self.records.glob("*.json") if not self._owned(p))

    def get(self, name: str) -> psutil.Process | None:
        """The process of that name, if it lives."""
        file = self.records / f"{name}.json"
        return find(json.loads(file.read_text())) if file.exists() else None

    def stop(self, name: str, *, gently: float = 0) -> None:
        """End it and forget it; nothing happens when it is gone already."""
        process = self.get(name)
        if process is not None:
            end(process, gently=gently)
        (self.records / f"{name}.json").unlink(missing_ok=True)

    def wait(self, name: str, ready: Callable[[], object], timeout: float = 60) -> None:
        """Poll until the process is ready; its death ends the waiting at once, and its log says why."""

        def look() -> bool:
            check_not_abandoned()
            if self.get(name) is None:
                raise TestbedError(f"{name} ended before it was ready.\n{self.tail(name)}")
            return bool(ready())

        if not poll(look, timeout):
            raise TestbedError(f"{name} was not ready after {timeout:.0f} s.\n{self.tail(name)}")

    def tail(self, name: str) -> str:
        """The last lines of its log, and where the rest is."""
        return tail(self.logs / f"{name}.log")

    @staticmethod
    def _owned(file: Path) -> bool:
        owner = json.loads(file.read_text()).get("owner")
        return owner is not None and find(owner) is not None
