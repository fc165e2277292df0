"""The Go programs, built from one module of ours so that what they share compiles once. See tests/testbed/go/go.mod."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from testbed import paths
from testbed.cache import fingerprint, locked
from testbed.commands import run
from testbed.errors import TestbedError
from testbed.steps import step

MODULE = paths.SOURCE / "go"
KUBERNETES = "v1.36.3"

API = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "helm")
NODE = (*API, "kubelet", "kube-proxy", "coredns")

_OURS = {"etcd": "./etcd", "coredns": "./coredns", "helm": "helm.sh/helm/v3/cmd/helm"}


class Binaries:
    """Finds each program by its name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> Path:
        return _asset(name) or self._folder / name


def build(names: Iterable[str]) -> Binaries:
    """Build those that the cache lacks, all with one command, which uses the processors best."""
    key = fingerprint([MODULE / "go.mod", MODULE / "go.sum", MODULE / "etcd", MODULE / "coredns", KUBERNETES])
    folder = paths.cache() / "binaries" / key
    wanted = [name for name in names if _asset(name) is None]
    if all((folder / name).exists() for name in wanted):
        return Binaries(folder)
    with locked(folder.with_suffix(".lock")):
        missing = [name for name in wanted if not (folder / name).exists()]
        half = folder / ".half"
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        try:
            _compile(missing, half)
            for file in half.iterdir():
                file.rename(folder / file.name)
        finally:
            shutil.rmtree(half, ignore_errors=True)
    return Binaries(folder)


def _compile(names: list[str], folder: Path) -> None:
    if not names:
        return
    if shutil.which("go") is None:
        raise TestbedError("Go is missing: install Go 1.26 or newer (Debian's is too old), so that `go version` runs.")
    flags = f"-s -w -X k8s.io/component-base/version.gitVersion={KUBERNETES}"
    packages = [_OURS.get(name, f"k8s.io/kubernetes/cmd/{name}") for name in names]
    with step(f"Go programs: {', '.join(names)}", hint="the first time this takes about 5 minutes"):
        words = ["go", "build", "-buildvcs=false", "-trimpath", "-ldflags", flags, "-o", f"{folder}/", *packages]
        run(words, log="go-build", cwd=MODULE, env={"CGO_ENABLED": "0", "GOWORK": "off"})


def _asset(name: str) -> Path | None:
    """What the person brings: the folder that other Kubernetes projects' tests use by the same variable."""
    folder = os.environ.get("KUBEBUILDER_ASSETS")
    if not folder or name not in {"etcd", "kube-apiserver"}:
        return None
    file = Path(folder).expanduser().resolve() / name
    return file if file.exists() else None
