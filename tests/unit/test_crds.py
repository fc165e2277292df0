"""The schemas in crds/: what every field must have, so that the API server can check it, explain it and bound its cost."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
FILES = sorted((REPOSITORY / "crds").glob("*.yaml"))
COPIES = [REPOSITORY / "charts/fink-distribution/files/crds", REPOSITORY / "operator/fink_distribution/crds"]
"""In the chart, which installs them, and in the package, whose `fink plan` checks manifests by them."""
SHORT_NAMES_OF_OTHERS = {"ds", "kt", "ku"}
"""DaemonSets, and two of Strimzi's kinds."""
BYTES = 100_000
"""kubectl apply keeps a copy of the file in an annotation, and annotations end at 256 KiB."""

Schema = dict[str, Any]


def crd(file: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(file.read_text())
    return loaded


def version(file: Path) -> dict[str, Any]:
    (only,) = crd(file)["spec"]["versions"]
    found: dict[str, Any] = only
    return found


def root(file: Path) -> Schema:
    schema: Schema = version(file)["schema"]["openAPIV3Schema"]
    return schema


def nodes(schema: Schema, path: str) -> Iterator[tuple[str, Schema]]:
    """Walk through a schema: itself and all below it, with their paths."""
    yield path, schema
    for name, field in schema.get("properties", {}).items():
        yield from nodes(field, f"{path}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")
    if "additionalProperties" in schema:
        yield from nodes(schema["additionalProperties"], f"{path}{{}}")


def ours(file: Path) -> list[tuple[str, Schema]]:
    """All of spec and status: the rest is every Kubernetes object's."""
    fields = root(file)["properties"]
    return [node for part in ("spec", "status") for node in nodes(fields[part], part)]


each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def test_the_five_kinds_are_there() -> None:
    kinds = {crd(file)["spec"]["names"]["kind"] for file in FILES}
    assert kinds == {"KafkaConnection", "AlertTopic", "KafkaUser", "KafkaAcl", "DistributionStream"}


@each_file
def test_every_field_has_a_description(file: Path) -> None:
    named = [(path, node) for path, node in ours(file) if not path.endswith(("[]", "{}"))]
    assert [path for path, node in named if not node.get("description", "").strip().endswith((".", ")", "!"))] == []
    assert root(file)["description"]


@each_file
def test_every_string_has_an_end(file: Path) -> None:
    strings = [(path, node) for path, node in ours(file) if node.get("type") == "string"]
    assert [path for path, node in strings if "maxLength" not in node and "enum" not in node] == []


@each_file
def test_every_number_is_bounded(file: Path) -> None:
    """Counters that only the driver or the API server counts up (int64, status) need a floor only."""
    numbers = [(path, node) for path, node in ours(file) if node.get("type") in ("integer", "number")]
    assert [path for path, node in numbers if node["type"] == "number"] == [], "floats do not survive a round trip"
    assert [path for path, node in numbers if "minimum" not in node or "format" not in node] == []
    bounded = [(path, node) for path, node in numbers if path.startswith("spec") or node["format"] == "int32"]
    assert [path for path, node in bounded if "maximum" not in node] == []


@each_file
def test_every_list_has_an_end_and_says_how_it_merges(file: Path) -> None:
    lists = [(path, node) for path, node in ours(file) if node.get("type") == "array"]
    assert [path for path, node in lists if "maxItems" not in node] == []
    assert [path for path, node in lists if node.get("x-kubernetes-list-type") not in ("set", "map", "atomic")] == []
    maps = [(path, node) for path, node in lists if node["x-kubernetes-list-type"] == "map"]
    for path, node in maps:
        keys = node["x-kubernetes-list-map-keys"]
        assert keys, path
        assert set(keys) <= set(node["items"]["required"]), f"{path}: a key that may be missing cannot tell items apart"


@each_file
def test_every_map_has_an_end(file: Path) -> None:
    maps = [(path, node) for path, node in ours(file) if "additionalProperties" in node]
    assert [path for path, node in maps if "maxProperties" not in node] == []


@each_file
def test_every_node_has_a_type_and_nothing_is_let_through_unchecked(file: Path) -> None:
    everything = list(nodes(root(file), ""))
    assert [path for path, node in everything if "type" not in node] == []
    unchecked = {"x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string", "x-kubernetes-embedded-resource"}
    assert [path for path, node in everything if unchecked & set(node)] == []
    objects = [(path, node) for path, node in ours(file) if node["type"] == "object"]
    assert [path for path, node in objects if not {"properties", "additionalProperties"} & set(node)] == []


@each_file
def test_every_enum_default_is_allowed_and_every_required_field_exists(file: Path) -> None:
    for path, node in ours(file):
        if "enum" in node and "default" in node:
            assert node["default"] in node["enum"], path
        assert set(node.get("required", [])) <= set(node.get("properties", {})), path


@each_file
def test_every_rule_says_what_is_allowed(file: Path) -> None:
    rules = [(path, rule) for path, node in nodes(root(file), "") for rule in node.get("x-kubernetes-validations", [])]
    assert [f"{path}: {rule['rule']}" for path, rule in rules if not rule.get("message", "").strip()] == []
    assert [
        rule["message"] for _, rule in rules if rule["message"].startswith("failed") or "\n" in rule["message"]
    ] == []
    per_place = Counter((path, rule["message"]) for path, rule in rules)
    assert [place for place, count in per_place.items() if count > 1] == []


@each_file
def test_status_has_not_been_seen_by_default(file: Path) -> None:
    status = root(file)["properties"]["status"]
    assert status["default"] == {"observedGeneration": -1}
    assert status["properties"]["observedGeneration"]["default"] == -1
    conditions = status["properties"]["conditions"]
    assert conditions["x-kubernetes-list-map-keys"] == ["type"]
    assert version(file)["subresources"] == {"status": {}}


@each_file
def test_conditions_are_alike_in_all_kinds(file: Path) -> None:
    assert (
        root(file)["properties"]["status"]["properties"]["conditions"]
        == (root(FILES[0])["properties"]["status"]["properties"]["conditions"])
    )


@each_file
def test_names_follow_from_the_kind(file: Path) -> None:
    spec = crd(file)["spec"]
    names = spec["names"]
    lower = names["kind"].lower()
    assert (names["singular"], names["plural"], names["listKind"]) == (lower, f"{lower}s", f"{names['kind']}List")
    assert crd(file)["metadata"]["name"] == f"{lower}s.distribution.fink-broker.org"
    assert file.name == f"{lower}s.yaml"
    assert names["categories"] == ["fink"]
    assert spec["scope"] == "Namespaced"
    assert version(file)["name"] == "v1alpha1"


def test_short_names_are_unique_and_nobody_elses() -> None:
    names = [name for file in FILES for name in crd(file)["spec"]["names"]["shortNames"]]
    assert len(names) == len(set(names)) == len(FILES)
    assert not SHORT_NAMES_OF_OTHERS & set(names)


@each_file
def test_kubectl_get_shows_ready_reason_and_age(file: Path) -> None:
    columns = {column["name"]: column for column in version(file)["additionalPrinterColumns"]}
    assert {"Ready", "Reason", "Age"} <= set(columns)
    assert [columns[name].get("priority", 0) for name in ("Ready", "Reason", "Age")] == [0, 0, 0]
    assert columns["Message"]["priority"] == 1, "a message is long: only with -o wide"
    for name, column in columns.items():
        assert field_at(root(file), column["jsonPath"]), f"column {name} shows {column['jsonPath']}, which is no field"


def field_at(schema: Schema, json_path: str) -> Schema | None:
    """The schema of the field that a printer column shows; a filter like [?(...)] takes one item of a list."""
    if json_path == ".metadata.creationTimestamp":
        return {"type": "string"}
    node: Schema | None = schema
    for part in re.sub(r"\[.*?\]", "", json_path).lstrip(".").split("."):
        node = node and node.get("properties", {}).get(part)
        node = node and node.get("items", node)
    return node


@each_file
def test_the_file_is_small_enough_for_kubectl_apply(file: Path) -> None:
    assert file.stat().st_size < BYTES


@pytest.mark.parametrize("copies", COPIES, ids=["chart", "package"])
@each_file
def test_the_chart_and_the_package_carry_the_same_file(file: Path, copies: Path) -> None:
    copy = copies / file.name
    assert copy.is_file(), f"{copy.relative_to(REPOSITORY)} is missing; run make sync"
    assert copy.read_bytes() == file.read_bytes(), (
        f"{copy.relative_to(REPOSITORY)} is not crds/{file.name}; run make sync"
    )


@pytest.mark.parametrize("copies", COPIES, ids=["chart", "package"])
def test_the_chart_and_the_package_carry_no_file_more(copies: Path) -> None:
    assert {file.name for file in copies.iterdir()} == {file.name for file in FILES}


def test_an_orphans_bindings_are_those_of_a_kafkaacl() -> None:
    by_kind = {crd(file)["spec"]["names"]["kind"]: root(file)["properties"]["status"]["properties"] for file in FILES}
    orphan = by_kind["KafkaConnection"]["orphans"]["items"]["properties"]
    assert orphan["bindings"]["items"] == by_kind["KafkaAcl"]["bindings"]["items"]
    assert orphan["quotas"]["properties"] == by_kind["KafkaUser"]["quotas"]["properties"]
