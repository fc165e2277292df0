"""Our images, built by buildah without a registry and named after what is in them.

The name's hash covers all that an image is made of, so one that is there already needs no look at its parts, and a pod's image
name changes exactly when its content does.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from fink_distribution.local_kafka.private import write_private
from testbed import base_images, jars, paths
from testbed.cache import fingerprint, locked
from testbed.commands import run
from testbed.errors import TestbedError
from testbed.node_cleaning import unmount_below
from testbed.steps import step

PAUSE = "localhost/pause:1"
# Where a build finds what it is lent.
MOUNTED = "/mnt"


@dataclass(frozen=True)
class Recipe:
    """What an image of ours is made of."""

    name: str
    sources: tuple[str, ...]
    packages: tuple[str, ...]
    jars: bool = False
    dockerfile: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "dockerfile", f"{self.sources[-1]}/Dockerfile")

    def tag(self) -> str:
        """The image's full name for the sources as they are now."""
        inputs: list[Path | str] = [p for s in self.sources for p in sorted(paths.CHECKOUT.glob(s))]
        if self.jars:
            inputs.append(jars.spark().name)
        key = fingerprint([*inputs, *self.packages, *base_images.LEFT_OUT, base_images.SUITE])
        return f"localhost/fink-distribution/{self.name}:{key}"


_SHARED = ("pyproject.toml", "requirements/*.in")
RECIPES = (
    Recipe("operator", (*_SHARED, "requirements/operator.lock", "operator"), base_images.OPERATOR),
    Recipe("job", (*_SHARED, "requirements/jobs.lock", "jobs"), base_images.JOB, jars=True),
)


def tags() -> dict[str, str]:
    """The names of our images for the sources as they are now: operator, job."""
    return {recipe.name: recipe.tag() for recipe in RECIPES}


class Builder:
    """buildah with a store of its own in the user's cache."""

    def __init__(self) -> None:
        self.folder = paths.cache() / "buildah"
        self._lock = self.folder / "lock"

    @contextmanager
    def _store(self) -> Iterator[None]:
        """Have the store to oneself. Its programs leave its folder mounted onto itself, so that nobody could delete the cache."""
        with locked(self._lock):
            try:
                yield
            finally:
                unmount_below(self.folder)

    def build(self) -> None:
        """Build those that are not there yet."""
        with self._store():
            self.buildah("rm", "--all")  # what an interrupted build has left
            present = self._present()
            if PAUSE not in present:
                self._build_pause()
            for recipe in RECIPES:
                tag = recipe.tag()
                if tag not in present:
                    base = self._build(recipe, tag)
                    # Of each image only the newest: the older ones' layers are as good as never asked for again.
                    for name in (recipe.name, f"base-{recipe.name}"):
                        for old in present:
                            if old.startswith(f"localhost/fink-distribution/{name}:") and old != base:
                                self.buildah("rmi", old)

    def push(self, tag: str, folder: Path) -> None:
        """Write the image to an OCI layout, without the layers that lie there already."""
        with self._store():
            store = f"[overlay@{self.folder / 'root'}+{self.folder / 'run'}]"
            # Not by `buildah push`: it compresses, which takes ten times as long and gives layers other names each time.
            words = ["skopeo", "copy", "--quiet", "--dest-oci-accept-uncompressed-layers"]
            run([*words, f"containers-storage:{store}{tag}", f"oci:{folder}:{tag}"])

    def buildah(self, *words: str | Path, log: str | None = None) -> str:
        """Run buildah on our store."""
        store = ("--root", self.folder / "root", "--runroot", self.folder / "run", "--storage-driver", "overlay")
        return run(["buildah", *store, *words], log=log)

    def _present(self) -> list[str]:
        return self.buildah("images", "--noheading", "--format", "{{.Name}}:{{.Tag}}").split()

    def _bud(self, tag: str, context: Path, *options: str | Path) -> None:
        isolation = ("--isolation", "chroot", "--layers", "--pull-never")
        self.buildah("bud", *isolation, *options, "--tag", tag, context, log="image")

    def _build(self, recipe: Recipe, tag: str) -> str:
        base = base_images.base(recipe.name, recipe.packages)
        base_tag = f"localhost/fink-distribution/base-{recipe.name}:{base.name}"
        with step(f"Image {tag}", hint="a minute the first time, seconds after a change of code"):
            if base_tag not in self._present():
                self._bud(base_tag, base)
            with tempfile.TemporaryDirectory(prefix="fink-image-") as temporary:
                context, settings = Path(temporary) / "context", Path(temporary) / "settings"
                self._copy_sources(recipe, context)
                build_arguments = ("--build-arg", f"BASE={base_tag}", "--file", context / recipe.dockerfile)
                self._bud(tag, context, *build_arguments, *_package_settings(settings))
        return base_tag

    @staticmethod
    def _copy_sources(recipe: Recipe, context: Path) -> None:
        """The context is a copy, so that an edit during the build cannot make an image that its name does not describe."""
        unwanted = shutil.ignore_patterns("__pycache__", "*.pyc")
        for pattern in recipe.sources:
            for source in paths.CHECKOUT.glob(pattern):
                target = context / source.relative_to(paths.CHECKOUT)
                target.parent.mkdir(parents=True, exist_ok=True)
                if source.is_dir():
                    shutil.copytree(source, target, ignore=unwanted)
                else:
                    shutil.copy2(source, target)
        if recipe.jars:
            shutil.copytree(jars.spark(), context / "build" / "jars")

    def _build_pause(self) -> None:
        with step(f"Image {PAUSE}"), tempfile.TemporaryDirectory(prefix="fink-image-") as temporary:
            context = Path(temporary)
            source = paths.SOURCE / "pause"
            shutil.copy2(source / "Dockerfile", context)
            run(["gcc", "-Os", "-static", "-o", context / "pause", source / "pause.c"])
            self._bud(PAUSE, context)


def _package_settings(folder: Path) -> tuple[str | Path, ...]:
    """Let the build use this machine's uv, its cache, certificates and index settings, by mounts that leave no trace."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
    if uv is None:
        raise TestbedError("uv is missing: `pip install uv` in the environment that the testbed runs in.")
    (folder / "bin").mkdir(parents=True)
    shutil.copy2(uv, folder / "bin")
    settings = {k: v for k, v in os.environ.items() if k.startswith("UV_") or k.lower().endswith("_proxy")}
    settings["UV_CACHE_DIR"] = f"{MOUNTED}/cache"
    settings["UV_LINK_MODE"] = "copy"  # the cache lies on another file system than the image
    certificates = os.environ.get("SSL_CERT_FILE")
    if certificates:
        shutil.copy2(certificates, folder / "certificates.pem")
        settings["SSL_CERT_FILE"] = f"{MOUNTED}/certificates.pem"
    lines = [f"export {key}={shlex.quote(value)}" for key, value in settings.items()]
    write_private(folder / "env", "\n".join([*lines, f'PATH="$PATH:{MOUNTED}/bin"', ""]))
    cache = Path(run([uv, "cache", "dir"]).strip())
    cache.mkdir(parents=True, exist_ok=True)
    (folder / "cache").mkdir()
    mounts = (f"{folder}:{MOUNTED}", f"{cache}:{MOUNTED}/cache")
    return ("--build-arg", f"BUILD_ENV={MOUNTED}/env", *(word for m in mounts for word in ("--volume", m)))
