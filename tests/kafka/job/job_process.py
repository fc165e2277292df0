"""The job as a process of its own, as users run it."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa

from demo import science_alerts
from distribution_job.metrics import PREFIX
from scraping import scraped
from testbed.ports import pick

HERE = Path(__file__).resolve().parent
JOBS = HERE.parents[2] / "jobs"
PACKAGES = ("fink_filters", "distribution_job.filters", "job_filters")
Eventually = Callable[..., Any]


class JobProcess:
    """One stream: a folder of its own, and a process that may be started again and again."""

    def __init__(self, folder: Path, kafka: dict[str, Any], jars: list[Path], eventually: Eventually) -> None:
        self.folder = folder
        self.source = folder / "science"
        self.checkpoint = folder / "checkpoint"
        self.gate = folder / "gate"
        self.ready = folder / "ready"
        self.log = folder / "log"
        for made in (self.source, self.gate):
            made.mkdir(parents=True)
        self._eventually = eventually
        self._process: subprocess.Popen[bytes] | None = None
        self._began = 0
        self.document: dict[str, Any] = {
            "version": 1,
            "stream": {"namespace": "test", "name": "stream"},
            "source": {"type": "parquet", "path": str(self.source)},
            "checkpoint": {"path": str(self.checkpoint)},
            "kafka": kafka,
            "delivery": {"guarantee": "AtLeastOnce"},
            "outputs": [],
            "trigger": {"intervalSeconds": 0},
            "progress": {"to": "log", "intervalSeconds": 1},
            "spark": {
                "conf": {
                    "spark.master": "local[2]",
                    "spark.driver.memory": "1g",
                    # It lives for seconds only: a compiler that is quick itself beats one that makes quick code.
                    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
                    "spark.jars": ",".join(map(str, jars)),
                }
            },
        }

    def start(self, killed_at: str = "", packages: tuple[str, ...] = PACKAGES) -> None:
        """Start it with `document`; the log goes on in the same file.

        `killed_at`: see killed_driver. `packages`: those that Python filters may come from.
        """
        config = self.folder / "stream.json"
        config.write_text(json.dumps(self.document))
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(map(str, (JOBS, HERE, *map(Path.resolve, _python_path())))),
            "FINK_FILTER_PACKAGES": ",".join(packages),
            "FINK_READY_FILE": str(self.ready),
            "GATE": str(self.gate),
            "KILLED_AT": killed_at,
        }
        environment.pop("PYSPARK_PYTHON", None)
        self._began = self.log.stat().st_size if self.log.exists() else 0
        words = [sys.executable, "-m", "killed_driver" if killed_at else "distribution_job", "--config", str(config)]
        with self.log.open("ab") as log:
            # A session of its own, so that the whole group can be killed as a machine's end would.
            self._process = subprocess.Popen(
                words, stdout=log, stderr=log, cwd=self.folder, env=environment, start_new_session=True
            )

    def open_port(self) -> int:
        """Have it answer Prometheus from the next start on; returns the port."""
        port = pick(str(self.folder))
        self.document["metrics"] = {"port": port}
        return port

    def metric(self, name: str, **labels: str) -> float | None:
        """What it tells Prometheus; None while it does not."""
        wanted = ",".join(f'{label}="{value}"' for label, value in sorted(labels.items()))
        found = scraped(self.document["metrics"]["port"])
        return found.get(f"{PREFIX}{name}{{{wanted}}}" if wanted else f"{PREFIX}{name}")

    def drop(self, table: pa.Table, files: int, folder: str = "") -> list[Path]:
        """Let the alerts appear in the folder, all files at once, so that they are one batch."""
        hidden = self.source / f"_{folder or f'drop-{secrets.token_hex(4)}'}"
        written = science_alerts.write(hidden, table, files)
        shown = hidden.with_name(hidden.name.removeprefix("_"))
        hidden.rename(shown)
        return [shown / file.relative_to(hidden) for file in written]

    def batches(self, committed: bool) -> list[int]:
        """The numbers of those that are committed, or of those that are not."""
        with closing(sqlite3.connect(self.checkpoint / "files.db")) as log:
            asked = log.execute("SELECT number FROM batches WHERE (committed IS NOT NULL) = ?", (committed,))
            return [number for (number,) in asked]

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def said(self) -> str:
        """What it has logged since the last start."""
        with self.log.open("rb") as log:
            log.seek(self._began)
            return log.read().decode(errors="replace")

    def progress(self) -> dict[str, Any]:
        """The newest progress document since the last start; empty before the first."""
        whole, _, _ = self.said().rpartition("\n")  # the last line may not be there as a whole
        lines = [line for line in whole.splitlines() if " progress {" in line]
        document: dict[str, Any] = json.loads(lines[-1].partition(" progress ")[2]) if lines else {}
        return document

    def output(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next((one for one in self.progress().get("outputs", ()) if one["name"] == name), {})
        return found

    def until(self, look: Callable[[], object], what: str, timeout: float = 120) -> Any:
        """Wait until it is so; the job's end before that fails at once, with what it said last."""

        def looked() -> object:
            found = look()
            if not found and not self.alive():
                return _Ended("\n".join(self.said().splitlines()[-30:]))
            return found

        try:
            found = self._eventually(looked, timeout=timeout, what=what)
        except BaseException:
            print("\n".join(line[:600] for line in self.said().splitlines()[-40:]))
            raise
        assert not isinstance(found, _Ended), f"the job ended before {what}:\n{found.said}"
        return found

    def until_read(self, rows: int, timeout: float = 120) -> dict[str, Any]:
        """Wait until it has read so many alerts since the start."""
        self.until(lambda: self.progress().get("rowsRead", 0) >= rows, f"{rows} alerts were read", timeout)
        return self.progress()

    def terminate(self) -> None:
        os.kill(self.pid, signal.SIGTERM)

    def ended(self, timeout: float = 60) -> int:
        """Its exit status."""
        assert self._process is not None
        return self._process.wait(timeout)

    def stop(self) -> None:
        """Drain it, and check that it ends well."""
        self.terminate()
        assert self.ended() == 0, self.said()[-3000:]

    def kill(self) -> None:
        """SIGKILL to it, its JVM and their workers."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


class _Ended:
    def __init__(self, said: str) -> None:
        self.said = said


def _python_path() -> list[Path]:
    return [Path(place) for place in os.environ.get("PYTHONPATH", "").split(os.pathsep) if place]
