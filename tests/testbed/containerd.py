"""The node's container runtime, and our images in it.

Its root is kept in the user's cache, so that an image is imported once and not at every start.
"""

from __future__ import annotations

import json
import tarfile
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

from testbed import machine, paths
from testbed.commands import run
from testbed.errors import TestbedError
from testbed.images import PAUSE, Builder, tags
from testbed.node_config import containerd_config
from testbed.processes import Processes
from testbed.steps import step

REPOSITORY = "localhost/fink-distribution/"


class Containerd:
    """One containerd with its own root, state and socket; the system's own one, if any, is left alone."""

    def __init__(self, processes: Processes) -> None:
        self.processes = processes
        self.root = paths.cache() / "containerd"

    def start(self) -> None:
        """Start it without the pods of the last time."""
        config = machine.RUN / "containerd.toml"
        config.write_text(containerd_config(self.root))
        self._launch(config)
        left = self.ctr("containers", "ls", "-q").split()
        if left:
            # Its CRI part has read them at its start and would go on telling of them.
            self.ctr("containers", "rm", *left)
            self.processes.stop("containerd", gently=10)
            self._launch(config)

    def end_pods(self) -> None:
        """Forget all containers while it still runs, so that the next start need not."""
        left = self.ctr("containers", "ls", "-q").split()
        if left:
            self.ctr("tasks", "rm", "--force", *self.ctr("tasks", "ls", "-q").split())
            self.ctr("containers", "rm", *left)

    def load(self, *, only_ours: bool) -> None:
        """Import the images that it lacks; with `only_ours`, drop older ones of ours, which no pod uses yet."""
        builder = Builder()
        wanted = [PAUSE, *tags().values()]
        present = self.ctr("images", "ls", "-q").split()
        for tag in wanted:
            if tag not in present:
                with step(f"Importing {tag}"):
                    self._import(builder, tag)
        if only_ours:
            old = [tag for tag in present if tag.startswith(REPOSITORY) and tag not in wanted]
            if old:
                self.ctr("images", "rm", *old)

    def ctr(self, *words: str | Path) -> str:
        """Run its command-line client on the pods' images and containers."""
        return run(["ctr", "--address", machine.SOCKET, "--namespace", "k8s.io", *words])

    def _launch(self, config: Path) -> None:
        self.processes.start("containerd", ["containerd", "--config", config])
        self.processes.wait("containerd", self._answers)

    def _answers(self) -> bool:
        if not machine.SOCKET.exists():
            return False
        try:
            # The list of plugins is whole when the CRI part has come up.
            return any("cri" in row and "ok" in row for row in self.ctr("plugins", "ls").splitlines())
        except TestbedError:
            return False

    def _import(self, builder: Builder, tag: str) -> None:
        """Hand over only the layers that it lacks: buildah writes, and the archive holds, no others."""
        with tempfile.TemporaryDirectory(prefix="oci-", dir=paths.cache()) as temporary:
            layout = Path(temporary) / "layout"
            blobs = layout / "blobs" / "sha256"
            blobs.mkdir(parents=True)
            known = {file.name for file in self._content().iterdir()} if self._content().exists() else set()
            for name in known:
                (blobs / name).hardlink_to(self._content() / name)
            builder.push(tag, layout)
            archive = Path(temporary) / "image.tar"
            _pack(layout, tag, known, archive)
            self.ctr("images", "import", archive)

    def _content(self) -> Path:
        return self.root / "io.containerd.content.v1.content" / "blobs" / "sha256"


def _pack(layout: Path, tag: str, known: set[str], archive: Path) -> None:
    index: dict[str, Any] = json.loads((layout / "index.json").read_text())
    for manifest in index["manifests"]:
        manifest["annotations"] = {"io.containerd.image.name": tag}
    text = json.dumps(index).encode()
    with tarfile.open(archive, "w") as tar:
        tar.add(layout / "oci-layout", "oci-layout")
        header = tarfile.TarInfo("index.json")
        header.size = len(text)
        tar.addfile(header, BytesIO(text))
        for file in (layout / "blobs" / "sha256").iterdir():
            if file.name not in known:
                tar.add(file, f"blobs/sha256/{file.name}")
