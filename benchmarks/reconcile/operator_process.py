"""The operator as a process of its own, and what it used of the machine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class OperatorProcess:
    """A running operator."""

    process: subprocess.Popen[bytes]
    log: Path
    metrics_port: int

    @classmethod
    def start(cls, environment: Mapping[str, str], log: Path, metrics_port: int) -> OperatorProcess:
        """Start `fink run` with these settings."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("FINK_")}
        command = [str(Path(sys.executable).with_name("fink")), "run"]
        with log.open("ab") as output:
            process = subprocess.Popen(
                command,
                # The allocator's setting is the image's.
                env={**kept, "MALLOC_ARENA_MAX": "2", **environment, "FINK_METRICS_PORT": str(metrics_port)},
                stdout=output,
                stderr=output,
            )
        return cls(process, log, metrics_port)

    def stop(self) -> None:
        """End it as Kubernetes does."""
        self.process.terminate()
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def check(self) -> None:
        """Raise when it has ended by itself."""
        if self.process.poll() is not None:
            tail = self.log.read_text()[-2000:]
            raise RuntimeError(f"the operator ended with status {self.process.returncode}; its log ends with:\n{tail}")

    async def reconciled(self) -> int:
        """How many reconciles have ended well, by its own metrics; 0 while it does not answer yet."""
        try:
            url = f"http://127.0.0.1:{self.metrics_port}/metrics"
            async with aiohttp.ClientSession() as session, session.get(url) as response:
                lines = (await response.text()).splitlines()
        except aiohttp.ClientError:
            return 0
        good = [line for line in lines if line.startswith("fink_reconcile_total{") and 'result="Reconciled"' in line]
        return int(sum(float(line.rpartition(" ")[2]) for line in good))

    @property
    def cpu_seconds(self) -> float:
        """CPU time so far, of all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(") ")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def peak_rss_mib(self) -> float:
        """The most memory that it has had resident."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("the kernel does not say how much memory a process has had")
