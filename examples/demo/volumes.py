"""Volumes for the quickstart's claims, where nothing else makes them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from demo.cluster import Cluster
from demo.quickstart import CLAIMS, NAMESPACE

LABEL = "fink-demo"
_DEFAULT = "storageclass.kubernetes.io/is-default-class"


def folder(science: Path, claim: str) -> Path:
    """The folder behind a claim."""
    return science / "demo" / claim


def make(cluster: Cluster, science: Path) -> None:
    """A hostPath volume for each claim, bound to it beforehand, so that no other claim takes it."""
    for claim in CLAIMS:
        place = folder(science, claim)
        place.mkdir(parents=True, exist_ok=True)
        place.chmod(0o777)  # the pods' user is not ours, and fsGroup does nothing for hostPath
    storage_class = _default_class(cluster)
    cluster.apply(*(_volume(claim, folder(science, claim), storage_class) for claim in CLAIMS))


def remove(cluster: Cluster, science: Path | None) -> None:
    """The volumes, and what was in them."""
    cluster.kubectl("delete", "persistentvolume", "--selector", LABEL, "--ignore-not-found", "--timeout=60s")
    if science is not None:
        shutil.rmtree(science / "demo", ignore_errors=True)


def _volume(claim: str, place: Path, storage_class: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": f"fink-demo-{claim}", "labels": {LABEL: claim}},
        "spec": {
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce", "ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": storage_class,
            "claimRef": {"namespace": NAMESPACE, "name": claim},
            "hostPath": {"path": str(place), "type": "Directory"},
        },
    }


def _default_class(cluster: Cluster) -> str:
    """The class that the claims get without naming one; none where there is no default."""
    for body in cluster.items("storageclass"):
        if (body["metadata"].get("annotations") or {}).get(_DEFAULT) == "true":
            name: str = body["metadata"]["name"]
            return name
    return ""
