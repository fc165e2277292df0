"""kubectl and Helm."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import Any

from demo.settings import Settings

Manifest = Mapping[str, Any]


class ClusterError(Exception):
    """kubectl or Helm failed, or the cluster is not as the demo needs it; the text says what to do."""


class Cluster:
    """One cluster; nothing secret is ever passed as an argument."""

    def __init__(self, settings: Settings) -> None:
        self._kubectl = [settings.kubectl, *settings.kubectl_flags]
        self._helm = [settings.helm, *settings.helm_flags]

    def kubectl(self, *words: str, stdin: bytes | str | None = None, timeout: float = 180) -> str:
        """Run kubectl; what it prints. Raises ClusterError."""
        return _run([*self._kubectl, *words], f"kubectl {' '.join(words)}", stdin, timeout)

    def helm(self, *words: str) -> str:
        """Run Helm; what it prints. Raises ClusterError."""
        return _run([*self._helm, *words], f"helm {' '.join(words)}", None, 180)

    def get(self, *words: str) -> dict[str, Any]:
        """`kubectl get … -o json`; without an object an empty document, for a list one without items."""
        printed = self.kubectl("get", *words, "--ignore-not-found", "--output", "json")
        found: dict[str, Any] = json.loads(printed) if printed.strip() else {}
        return found

    def items(self, *words: str) -> list[dict[str, Any]]:
        """The objects of a list."""
        found: list[dict[str, Any]] = self.get(*words).get("items", [])
        return found

    def apply(self, *manifests: Manifest | str, namespace: str | None = None) -> None:
        """Apply objects, or texts of them; server-side, so that no copy of them stands in an annotation."""
        place = ("--namespace", namespace) if namespace else ()
        texts = [each if isinstance(each, str) else json.dumps(each) for each in manifests]
        words = (
            "apply",
            "--server-side",
            "--field-manager",
            "fink-demo",
            "--force-conflicts",
            *place,
            "--filename",
            "-",
        )
        self.kubectl(*words, stdin="\n---\n".join(texts))


def _run(words: list[str], shown: str, stdin: bytes | str | None, timeout: float) -> str:
    given = stdin.encode() if isinstance(stdin, str) else stdin
    try:
        # A session of its own: Ctrl-C is for the demo, which then ends things in order.
        done = subprocess.run(
            words, input=given, capture_output=True, check=False, timeout=timeout, start_new_session=True
        )
    except FileNotFoundError:
        raise ClusterError(f"{words[0]} is missing: install it, or set KUBECTL and HELM to where they are.") from None
    except subprocess.TimeoutExpired:
        raise ClusterError(f"{shown}: no end after {timeout:.0f} s.") from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip() or f"exit status {done.returncode}"
        raise ClusterError(f"{shown}: {said}")
    return done.stdout.decode(errors="replace")
