"""Write docs/kinds/ from crds/: a page a kind, every field with its type, its default and what it does.

python docs/generate_kinds.py            writes it (`make sync`)
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parents[1]
FOLDER = REPOSITORY / "docs" / "kinds"
ORDER = ("KafkaConnection", "AlertTopic", "KafkaUser", "KafkaAcl", "DistributionStream")
HEAD = """# The kinds

<!-- Made from crds/ by docs/generate_kinds.py (`make sync`); change the descriptions there. -->

All are namespaced, of the group `distribution.fink-broker.org`, version `v1alpha1`, and in the category `fink`:
`kubectl get fink` lists them all. `kubectl explain alerttopic.spec --recursive` says the same as this page. What a manifest
breaks of the rules below is refused by `kubectl apply` already, also with `--dry-run=server`; examples stand in
[examples/quickstart](../../examples/quickstart). The reasons of the conditions are in [reasons.md](../reasons.md).

| kind | short name | what it is |
|---|---|---|
"""
MORE = {
    "KafkaConnection": "../connections.md",
    "AlertTopic": "../topics.md",
    "KafkaUser": "../users.md",
    "KafkaAcl": "../permissions.md",
    "DistributionStream": "../streams.md",
}
"""What happens, where the page of the kind only says what can be written."""

QUOTE = '"'
_SHARED_STATUS = "observedGeneration", "conditions"

Schema = dict[str, Any]


def pages() -> dict[str, str]:
    """All pages, by file name."""
    found = {}
    for file in sorted((REPOSITORY / "crds").glob("*.yaml")):
        crd = yaml.safe_load(file.read_text())
        found[crd["spec"]["names"]["kind"]] = crd["spec"]
    rows = [_index_row(found[name]) for name in ORDER]
    return {"README.md": HEAD + "".join(rows), **{f"{name.lower()}.md": _kind(found[name]) for name in ORDER}}


def _index_row(spec: Schema) -> str:
    names = spec["names"]
    description = " ".join(spec["versions"][0]["schema"]["openAPIV3Schema"]["description"].split())
    return f"| [{names['kind']}]({names['singular']}.md) | `{names['shortNames'][0]}` | {description} |\n"


def _kind(spec: Schema) -> str:
    names = spec["names"]
    schema = spec["versions"][0]["schema"]["openAPIV3Schema"]
    properties = schema["properties"]
    lines = [
        f"# {names['kind']}",
        "",
        "<!-- Made from crds/ by docs/generate_kinds.py (`make sync`); change the descriptions there. -->",
        "",
        schema["description"],
        f"Short name: `{names['shortNames'][0]}`. What happens with it: [{MORE[names['kind']][3:]}]({MORE[names['kind']]}).",
        "",
        "| field of `spec` | type | default | what it does |",
        "|---|---|---|---|",
        *(_row(path, node, required) for path, node, required in _fields(properties["spec"])),
        "",
        "| field of `status` | type | what it says |",
        "|---|---|---|",
    ]
    for path, node, _ in _fields(properties["status"]):
        if path.split(".")[0].removesuffix("[]") not in _SHARED_STATUS:
            lines.append(f"| `{path}` | {_type(node)} | {_text(node)} |")
    rules = list(dict.fromkeys(_rules(schema)))
    if rules:
        lines += ["", "Refused by the API server, with these words:", "", *(f"- {rule}" for rule in rules)]
    return "\n".join([*lines, ""])


def _fields(schema: Schema, above: str = "") -> Iterator[tuple[str, Schema, bool]]:
    """All fields below, in the schema's order: path, schema, whether it must be given."""
    required = set(schema.get("required", ()))
    for name, node in schema.get("properties", {}).items():
        path = f"{above}{name}"
        yield path, node, name in required
        if "items" in node:
            yield from _fields(node["items"], f"{path}[].")
        else:
            yield from _fields(node, f"{path}.")


def _row(path: str, node: Schema, required: bool) -> str:
    default = "required" if required else _default(node)
    return f"| `{path}` | {_type(node)} | {default} | {_text(node)} |"


def _default(node: Schema) -> str:
    # An object whose default is empty takes those of its fields.
    default = node.get("default", {})
    return "" if isinstance(default, dict) else f"`{json.dumps(default).strip(QUOTE)}`"


def _type(node: Schema) -> str:
    kind = node["type"]
    if "enum" in node:
        return ", ".join(f"`{value}`" for value in node["enum"])
    if kind == "array":
        return f"list of {_type(node['items'])}"
    if kind == "object" and "additionalProperties" in node:
        return f"map of {_type(node['additionalProperties'])}"
    if kind == "integer" and "minimum" in node and "maximum" in node:
        return f"{node['minimum']} to {node['maximum']}"
    return str(kind)


def _text(node: Schema) -> str:
    return " ".join(str(node.get("description", "")).split()).replace("|", "\\|")


def _rules(schema: Schema) -> Iterator[str]:
    for rule in schema.get("x-kubernetes-validations", ()):
        yield rule["message"]
    for below in (*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")):
        if below:
            yield from _rules(below)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text)
