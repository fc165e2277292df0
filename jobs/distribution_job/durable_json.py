"""Small JSON files that are there whole or not at all, whenever the process or the machine stops."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import quote


def write(file: Path, document: Any) -> None:
    """Write the document under a hidden name, force it to the disk, rename it into place and force the name too."""
    file.parent.mkdir(parents=True, exist_ok=True)
    hidden = file.with_name(f".{file.name}.tmp")
    with hidden.open("w", encoding="utf-8") as handle:
        json.dump(document, handle, separators=(",", ":"))
        handle.flush()
        os.fsync(handle.fileno())
    hidden.replace(file)
    force(file.parent)


def append(file: Path, document: Any) -> None:
    """Add the document to a file as a line, and force it to the disk. What a crash has left of a line is none."""
    file.parent.mkdir(parents=True, exist_ok=True)
    is_new = not file.exists()
    with file.open("a+b") as handle:
        if handle.tell() and not _ends_with_newline(handle):
            handle.write(b"\n")
        handle.write(json.dumps(document, separators=(",", ":")).encode() + b"\n")
        handle.flush()
        os.fsync(handle.fileno())
    if is_new:
        force(file.parent)


def lines(file: Path) -> Iterator[Any]:
    """The documents that were added to a file, but for those that a crash has cut off."""
    with file.open("rb") as handle:
        for line in handle:
            with contextlib.suppress(ValueError):
                yield json.loads(line)


def _ends_with_newline(handle: BinaryIO) -> bool:
    handle.seek(-1, os.SEEK_END)
    return handle.read(1) == b"\n"


def read(file: Path) -> Any:
    """The document, None when there is none."""
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None


def once(file: Path, make: Callable[[], Any]) -> Any:
    """The file's content; when there is no such file, what `make` gives, which is written first and holds from then on."""
    found = read(file)
    if found is None:
        found = make()
        write(file, found)
    return found


def remove(file: Path) -> None:
    """Remove the file, if it is there, for good."""
    file.unlink(missing_ok=True)
    if file.parent.is_dir():
        force(file.parent)


def file_name(text: str) -> str:
    """The text as the name of a file or a folder, whatever it holds; it never begins with a dot."""
    return quote(text, safe="").replace(".", "%2E")  # quote leaves dots alone


def read_all(folder: Path) -> Iterator[tuple[Path, Any]]:
    """The documents of a folder, by name; hidden files are what a crash left half-written."""
    for file in sorted(folder.glob("*.json")):
        if not file.name.startswith("."):
            yield file, json.loads(file.read_text(encoding="utf-8"))


def force_all(folder: Path) -> None:
    """Force everything below the folder to the disk, the names too."""
    for place in folder.rglob("*"):
        force(place)
    force(folder)


def force(place: Path) -> None:
    """Force a file, or the names in a folder, to the disk."""
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
