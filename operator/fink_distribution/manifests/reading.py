"""Files, folders and standard input as Kubernetes objects."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import yaml

from fink_distribution.manifests.problems import ManifestError, Origin, Problem
from fink_distribution.resources.keys import Body

STDIN = "-"
_ENDINGS = (".yaml", ".yml", ".json")


@dataclass(frozen=True)
class Document:
    """One object of a file."""

    origin: Origin
    body: Body


class _Loader(yaml.SafeLoader):
    """YAML as kubectl reads it: no key twice, and no dates, which are text in JSON."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Refuse what would silently be lost."""
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key.value} stands twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read(paths: Iterable[str], stdin: TextIO, *, recursive: bool = False) -> list[Document]:
    """Read manifests as `kubectl apply -f` does: YAML with many documents, JSON, and List objects.

    Parameters
    ----------
    paths
        Files, folders, or `-` for standard input.
    recursive
        Also the folders within folders.

    Raises
    ------
    ManifestError
        A file is missing or is no YAML, or a document is no Kubernetes object.
    """
    documents: list[Document] = []
    problems: list[Problem] = []
    for name, file in _files(paths, problems, recursive=recursive):
        try:
            text = stdin.read() if file is None else file.read_text(encoding="utf-8")
            documents += _objects(name, text, problems)
        except yaml.YAMLError as error:
            problems.append(Problem(_place(name, text, error), "", "", f"this is no YAML: {_first_words(error)}."))
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(Origin(name, 1), "", "", f"it cannot be read: {error}."))
    if problems:
        raise ManifestError(problems)
    return documents


def _files(paths: Iterable[str], problems: list[Problem], *, recursive: bool) -> Iterator[tuple[str, Path | None]]:
    for name in paths:
        path = Path(name)
        if name == STDIN:
            yield "<stdin>", None
        elif path.is_dir():
            found = sorted(path.rglob("*") if recursive else path.iterdir())
            files = [file for file in found if file.suffix in _ENDINGS and file.is_file()]
            yield from ((str(file), file) for file in files)
            if not files:
                hint = "" if recursive else "; -R looks into its folders, too"
                message = f"the folder holds no {', '.join(_ENDINGS)}{hint}."
                problems.append(Problem(Origin(name, 1), "", "", message))
        elif path.exists():
            yield name, path
        else:
            problems.append(Problem(Origin(name, 1), "", "", "there is no such file or folder."))


def _objects(name: str, text: str, problems: list[Problem]) -> Iterator[Document]:
    for number, found in enumerate(yaml.load_all(text, _Loader), 1):
        yield from _expand(Origin(name, number), found, problems)


def _expand(origin: Origin, found: Any, problems: list[Problem]) -> Iterator[Document]:
    """Yield the object, or those of a List; nothing for an empty document."""
    if found is None:
        return
    if not isinstance(found, dict) or not isinstance(found.get("kind"), str) or not found.get("apiVersion"):
        problems.append(Problem(origin, "", "", "this is no Kubernetes object; it needs apiVersion and kind."))
    elif isinstance(found.get("items"), list) and found["kind"].endswith("List"):
        for index, item in enumerate(found["items"], 1):
            yield from _expand(Origin(origin.file, origin.document, index), item, problems)
    else:
        yield Document(origin, _without_nulls(found))


def _without_nulls(value: Any) -> Any:
    """Drop what is null, as the API server does for fields that cannot be null; none of ours can."""
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _place(name: str, text: str, error: yaml.YAMLError) -> Origin:
    mark = getattr(error, "problem_mark", None)
    before = text.splitlines()[: mark.line] if mark else []
    separators = [line for line in before if line.rstrip() == "---" or line.startswith("--- ")]
    begins_with_one = bool(before) and before[0].startswith("---")
    return Origin(name, len(separators) + (0 if begins_with_one else 1))


def _first_words(error: yaml.YAMLError) -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
    return f"{problem or error}{where}"
