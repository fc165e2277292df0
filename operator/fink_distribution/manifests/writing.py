"""Manifests as YAML: one stream, or a file for each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from fink_distribution.resources.printable import printable

_FOLDERS = {"AlertTopic": "topics", "KafkaUser": "users", "KafkaAcl": "acls"}


class _Dumper(yaml.SafeDumper):
    """YAML that every reader takes for the same."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    # Readers do not agree on which bare words are numbers or booleans: 1e3, 0o17, y.
    is_doubtful = len(value) == 1 or value[:1] in "0123456789+-."
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style='"' if is_doubtful else None)


_Dumper.add_representer(str, _text)


def document(manifest: Mapping[str, Any]) -> str:
    """Return a manifest as one YAML document, fields in the order in which they stand."""
    text: str = yaml.dump(dict(manifest), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text


def stream(manifests: Iterable[Mapping[str, Any]], remarks: Sequence[str]) -> str:
    """Return all manifests as one YAML stream, the remarks as comments before it."""
    header = "".join(f"# {printable(remark)}".rstrip() + "\n" for remark in remarks)
    return header + "".join(f"---\n{document(manifest)}" for manifest in manifests)


def files(manifests: Iterable[Mapping[str, Any]], remarks: Sequence[str]) -> dict[Path, str]:
    """Return path and content of each file: a folder for each kind, and the remarks as README.md."""
    found = {
        Path(_FOLDERS[manifest["kind"]], f"{manifest['metadata']['name']}.yaml"): document(manifest)
        for manifest in manifests
    }
    return {Path("README.md"): "".join(f"{printable(remark)}\n" for remark in remarks), **found}


def write(folder: Path, content: Mapping[Path, str], *, overwrite: bool) -> None:
    """Write the files.

    Raises
    ------
    FileExistsError
        A file is there with another content, and `overwrite` is not set; nothing has been written then.
    """
    differing = [path for path, text in content.items() if (folder / path).exists() and _read(folder / path) != text]
    if differing and not overwrite:
        raise FileExistsError(f"{folder / differing[0]}" + (f" and {len(differing) - 1} more" if differing[1:] else ""))
    for path, text in content.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
