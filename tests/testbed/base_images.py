"""What our images stand on when there is no registry: Debian's packages in a tar, in place of the public Debian image."""

from __future__ import annotations

from pathlib import Path

from testbed.cache import cached, fingerprint
from testbed.commands import run
from testbed.steps import step

SUITE = "bookworm"
OPERATOR = ("ca-certificates", "python3", "tini")
JOB = (*OPERATOR, "openjdk-17-jre-headless", "procps")
# A container reads no manual; without them the image is a quarter smaller, and so is each import.
LEFT_OUT = ("/usr/share/man/*/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*")


def base(name: str, packages: tuple[str, ...]) -> Path:
    """A folder that holds `base.tar` and a Dockerfile that makes an image of it."""

    def make(folder: Path) -> None:
        with step(f"Base of the {name}'s image: Debian's {', '.join(packages)}", hint="about 20 s"):
            options = [f"--dpkgopt=path-exclude={path}" for path in LEFT_OUT]
            wanted = f"--include={','.join(packages)}"
            words: list[str | Path] = [
                "mmdebstrap",
                "--quiet",
                "--variant=minbase",
                *options,
                wanted,
                SUITE,
                folder / "base.tar",
            ]
            run(words, log=f"base-{name}")
        (folder / "Dockerfile").write_text("FROM scratch\nADD base.tar /\n")

    return cached(f"base-{name}", fingerprint([SUITE, *packages, *LEFT_OUT]), make)
