"""A verification as a process of its own, as users run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from job_process import HERE, JOBS, PACKAGES, JobProcess

KINDS = ("missing", "twice", "unexpected", "deleted")


class Verified:
    """What one verification said."""

    def __init__(self, job: JobProcess, *options: str, **changes: Any) -> None:
        config = job.folder / "verified.json"
        config.write_text(json.dumps({**job.document, **changes}))
        path = os.pathsep.join(filter(None, (str(JOBS), str(HERE), os.environ.get("PYTHONPATH"))))
        done = subprocess.run(
            [sys.executable, "-m", "distribution_job.verify", "--config", str(config), *options],
            capture_output=True,
            text=True,
            check=False,
            timeout=240,
            env={**os.environ, "PYTHONPATH": path, "FINK_FILTER_PACKAGES": ",".join(PACKAGES)},
        )
        self.status, self.err = done.returncode, done.stderr
        print(done.stderr[-6000:])
        print(done.stdout)
        self.document: dict[str, Any] = json.loads(done.stdout) if done.stdout else {}

    def topic(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(each for each in self.document["topics"] if each["topic"] == name)
        return found

    def found(self, name: str) -> dict[str, int]:
        """The kinds of differences of a topic that there are."""
        return {kind: count for kind in KINDS if (count := self.topic(name)[kind])}

    def listed(self, name: str, kind: str) -> list[dict[str, Any]]:
        return [each for each in self.topic(name)["differences"] if each["kind"] == kind]
