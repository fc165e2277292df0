"""How much memory the operator uses."""

from __future__ import annotations

from demo.cluster import Cluster
from demo.quickstart import RELEASE, SYSTEM
from demo.steps import Steps

LIMIT_MEBIBYTES = 150
LOOK = f"kubectl -n {SYSTEM} exec deployment/{RELEASE} -- sh -c 'grep VmRSS /proc/[0-9]*/status'"
# The image has no tools, but it has Python: the resident memory of all processes in the container but this one, in kB.
_ASK = """
import os, pathlib
total = 0
for status in pathlib.Path("/proc").glob("[0-9]*/status"):
    fields = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    if int(fields["Pid"]) != os.getpid():
        total += int(fields.get("VmRSS", "0 kB").split()[0])
print(total)
"""


def mebibytes(cluster: Cluster) -> float:
    """The resident memory of the operator's pod."""
    said = cluster.kubectl(
        "exec", "--namespace", SYSTEM, f"deployment/{RELEASE}", "--container", "operator", "--", "python", "-c", _ASK
    )
    return int(said.strip()) / 1024


def show(cluster: Cluster, steps: Steps) -> bool:
    """Print it; whether it is below the limit."""
    used = mebibytes(cluster)
    right = used < LIMIT_MEBIBYTES
    steps.say(f"{used:.0f} MiB resident (at most {LIMIT_MEBIBYTES})", "green" if right else "red")
    return right
