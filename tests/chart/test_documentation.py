"""The chart explains every value: in values.yaml, in its schema and in the table of its README."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from chart.rendered import CHART

VALUES = (CHART / "values.yaml").read_text()
TREES = ("resources",)
"""Values that are explained as a whole."""


def leaves(values: dict[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """The values that can be set, by their dotted names."""
    for key, value in values.items():
        name = f"{path}{key}"
        if isinstance(value, dict) and value and name not in TREES:
            yield from leaves(value, f"{name}.")
        else:
            yield name, value


def comments() -> dict[str, str]:
    """What values.yaml says above each value, by dotted name."""
    found: dict[str, str] = {}
    above: list[str] = []
    parents: list[str] = []
    for line in VALUES.splitlines():
        if comment := re.match(r"\s*# (.*)", line):
            above.append(comment[1])
        elif key := re.match(r"(\s*)([A-Za-z]+):", line):
            parents = [*parents[: len(key[1]) // 2], key[2]]
            found[".".join(parents)] = " ".join(above)
            above = []
    return found


def shown(value: Any) -> str:
    """A value as the README shows it."""
    return f"`{json.dumps(value)}`" if value != "" else ""


def table() -> str:
    """The README's table, as values.yaml makes it."""
    said = comments()
    rows = [f"| `{name}` | {shown(value)} | {said[name]} |" for name, value in leaves(yaml.safe_load(VALUES))]
    return "\n".join(["| value | default | meaning |", "|---|---|---|", *rows])


def test_every_value_has_a_comment() -> None:
    said = comments()
    assert [name for name, _ in leaves(yaml.safe_load(VALUES)) if not said.get(name, "").endswith(".")] == []


def test_the_readme_has_the_table_of_values() -> None:
    readme = (CHART / "README.md").read_text()
    assert table() in readme, f"README.md of the chart has another table of values; the right one is:\n\n{table()}\n"


@pytest.mark.parametrize("name", [name for name, _ in leaves(yaml.safe_load(VALUES))])
def test_the_schema_knows_every_value_and_refuses_what_it_does_not_know(name: str) -> None:
    node = json.loads((CHART / "values.schema.json").read_text())
    for part in name.split("."):
        assert node["additionalProperties"] is False, f"beside {name} anything is let through"
        node = node["properties"][part]
    assert node
