"""The alerts, and how they get into the stream's folder: each file hidden first, and renamed when it is whole."""

from __future__ import annotations

import io
import shutil
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from demo import science_alerts
from demo.cluster import Cluster, ClusterError
from demo.quickstart import NAMESPACE

WRITER = "science-writer"
_HIDDEN = ".demo-"
# Unpacks a tar from standard input below the folder that it is given, hidden, and then renames each file.
_UNPACK = f"""
import pathlib, shutil, sys, tarfile
folder, hidden = pathlib.Path(sys.argv[1]), []
with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as drop:
    for member in drop:
        file = folder / member.name
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("wb") as half:
            shutil.copyfileobj(drop.extractfile(member), half)
        hidden.append(file)
for file in hidden:
    file.rename(file.with_name(file.name.removeprefix("{_HIDDEN}")))
"""


@dataclass(frozen=True)
class Drop:
    """Files that appear together: their places below the folder, where they lie now, and their alerts.

    There is a table for each file of real alerts, because their columns may differ.
    """

    files: tuple[tuple[Path, Path], ...]
    alerts: tuple[pa.Table, ...]

    @property
    def rows(self) -> int:
        """How many alerts."""
        return sum(table.num_rows for table in self.alerts)


def made_up(staging: Path, rows: int, seed: int, drops: int) -> list[Drop]:
    """Alerts from a seed."""
    found, first = [], 0
    for number in range(drops):
        share = rows // drops + (number < rows % drops)
        alerts = science_alerts.generate(share, seed, first)
        place = staging / str(number)
        written = science_alerts.write(place, alerts, 2)
        found.append(Drop(tuple((file.relative_to(place), file) for file in written), (alerts,)))
        first += share
    return found


def files_of(data: Path) -> list[Path]:
    """The Parquet files of a folder. Raises ClusterError when there are none."""
    files = [file for file in sorted(data.rglob("*.parquet")) if not _is_hidden(file.relative_to(data))]
    if not files:
        raise ClusterError(f"DATA: {data} holds no *.parquet files.")
    return files


def of_folder(data: Path, drops: int) -> list[Drop]:
    """Real alerts, from a folder."""
    files = files_of(data)
    parts = [files[number::drops] for number in range(drops)]
    return [
        Drop(
            tuple((file.relative_to(data), file) for file in part),
            # By itself, without the columns of key=value folders, which no filter of the quickstart needs.
            tuple(pq.ParquetFile(file).read() for file in part),
        )
        for part in parts
        if part
    ]


def into_folder(folder: Path) -> Callable[[Drop], None]:
    """For a folder that this machine and the node share; it is made now."""
    folder.mkdir(parents=True, exist_ok=True)

    def put(drop: Drop) -> None:
        hidden = []
        for place, source in drop.files:
            target = folder / place
            target.parent.mkdir(parents=True, exist_ok=True)
            hidden.append((target.with_name(f"{_HIDDEN}{target.name}"), target))
            shutil.copyfile(source, hidden[-1][0])
        for half, whole in hidden:
            half.rename(whole)

    return put


def through_pod(cluster: Cluster, image: str, claim: str, folder: str) -> Callable[[Drop], None]:
    """For a volume that only the cluster can reach: a pod that mounts the claim, makes the folder, and unpacks what is streamed to it."""
    place = f"/science/{folder}".rstrip("/")
    cluster.apply(_writer(image, claim, place), namespace=NAMESPACE)

    def put(drop: Drop) -> None:
        cluster.kubectl("wait", "--namespace", NAMESPACE, "--for=condition=Ready", f"pod/{WRITER}", "--timeout=150s")
        command = ("python", "-c", _UNPACK, place)
        cluster.kubectl("exec", "--namespace", NAMESPACE, "--stdin", WRITER, "--", *command, stdin=packed(drop.files))

    return put


def packed(files: Sequence[tuple[Path, Path]]) -> bytes:
    """The files as a tar, under hidden names."""
    packing = io.BytesIO()
    with tarfile.open(fileobj=packing, mode="w") as tar:
        for place, source in files:
            tar.add(source, arcname=str(place.with_name(f"{_HIDDEN}{place.name}")))
    return packing.getvalue()


def _is_hidden(place: Path) -> bool:
    return any(part.startswith((".", "_")) for part in place.parts)


def _writer(image: str, claim: str, place: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": WRITER},
        "spec": {
            "automountServiceAccountToken": False,
            "terminationGracePeriodSeconds": 0,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 185,
                "runAsGroup": 185,
                "fsGroup": 185,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "writer",
                    "image": image,
                    "imagePullPolicy": "IfNotPresent",
                    "args": ["sh", "-c", f"mkdir -p {place} && exec sleep infinity"],
                    "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
                    "volumeMounts": [{"name": "science", "mountPath": "/science"}],
                }
            ],
            "volumes": [{"name": "science", "persistentVolumeClaim": {"claimName": claim}}],
        },
    }
