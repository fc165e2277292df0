"""Checks of manifests against the schemas in crds/, as packed with this package.

What the API server checks beyond the schema, the rules in CEL (`x-kubernetes-validations`), needs an API server:
`kubectl apply --dry-run=server`.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import yaml
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend

from fink_distribution.manifests.problems import Problem
from fink_distribution.manifests.reading import Document
from fink_distribution.resources.keys import API_VERSION, GROUP, Kind

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_METADATA = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "maxLength": 253, "pattern": f"^{_LABEL}([.]{_LABEL})*$"},
        "namespace": {"type": "string", "maxLength": 63, "pattern": f"^{_LABEL}$"},
    },
}
"""What the API server asks of every object's metadata (RFC 1123)."""


def is_ours(document: Document) -> bool:
    """Say whether a document is of this project's API group."""
    return str(document.body["apiVersion"]).partition("/")[0] == GROUP


def check(document: Document) -> list[Problem]:
    """Hold one object of ours against its kind's schema."""
    body = document.body
    kind, version = body["kind"], body["apiVersion"]
    metadata = body.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    what = f"{kind} {name}" if name else str(kind)
    if version != API_VERSION:
        return [Problem(document.origin, what, "apiVersion", f"{version} is not known; it is {API_VERSION}.")]
    if kind not in set(Kind):
        near = _near(kind, list(Kind))
        return [Problem(document.origin, what, "kind", f"not known; it is one of: {', '.join(Kind)}.{near}")]
    errors = sorted(_validator(Kind(kind)).iter_errors(body), key=lambda error: list(map(str, error.absolute_path)))
    of_wrong_type = {_path(error.absolute_path) for error in errors if error.validator == "type"}
    return [
        Problem(document.origin, what, path, message)
        for error in errors
        if error.validator == "type" or _path(error.absolute_path) not in of_wrong_type
        for path, message in _explained(error)
    ]


def packaged(kind: Kind) -> Mapping[str, Any]:
    """Return the schema of a kind in our version, as this package carries it."""
    text = (resources.files("fink_distribution") / "crds" / f"{kind.plural}.yaml").read_text(encoding="utf-8")
    (version,) = yaml.load(text, Loader=yaml.CSafeLoader)["spec"]["versions"]
    found: Mapping[str, Any] = version["schema"]["openAPIV3Schema"]
    return found


@cache
def _validator(kind: Kind) -> Any:
    schema = _strict(packaged(kind))
    schema["properties"]["metadata"] = _METADATA
    # A status in a file is what kubectl get printed; nobody applies it.
    schema["properties"]["status"] = True
    return _Validator(schema)


def _strict(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a structural schema as JSON Schema: unknown fields are refused, as by kubectl apply --validate=strict."""
    found = {key: value for key, value in schema.items() if key not in ("description", "default", "format")}
    if "properties" in found:
        found["properties"] = {name: _strict(field) for name, field in found["properties"].items()}
        found.setdefault("additionalProperties", False)
    if isinstance(found.get("additionalProperties"), Mapping):
        found["additionalProperties"] = _strict(found["additionalProperties"])
    if "items" in found:
        found["items"] = _strict(found["items"])
        found["uniqueItems"] = found.get("x-kubernetes-list-type") == "set"
    return found


def _unique_by(_: Any, keys: Sequence[str], items: Any, __: Any) -> Iterator[ValidationError]:
    """Check x-kubernetes-list-map-keys: no two items with the same keys."""
    seen: set[tuple[str, ...]] = set()
    for item in items if isinstance(items, list) else []:
        found = tuple(str(item.get(key)) for key in keys) if isinstance(item, dict) else ()
        if found and found in seen:
            yield ValidationError(f"{', '.join(keys)} {', '.join(found)} stands twice; it has to be unique here")
        seen.add(found)


_Validator: Any = extend(Draft202012Validator, {"x-kubernetes-list-map-keys": _unique_by})  # type: ignore[no-untyped-call]


def _explained(error: Any) -> Iterator[tuple[str, str]]:
    """Yield field path and message of an error; several for several unknown fields."""
    path, value, rule = _path(error.absolute_path), error.validator_value, error.validator
    schema, found = error.schema, error.instance
    below = f"{path}." if path else ""
    if rule == "additionalProperties" and value is False:
        known = sorted(schema["properties"])
        for name in sorted(set(found) - set(known)):
            yield f"{below}{name}", f"there is no such field; there are: {', '.join(known)}.{_near(name, known)}"
    elif rule == "required":
        for name in [name for name in value if name not in found]:
            yield f"{below}{name}", "it is missing; it is required."
    else:
        yield path, _message(error, rule, value)


def _message(error: Any, rule: Any, value: Any) -> str:
    found = error.instance
    texts: dict[Any, Callable[[], str]] = {
        "enum": lambda: (
            f"{_shown(found)} is not allowed; it is one of: {', '.join(map(str, value))}.{_near(found, value)}"
        ),
        "type": lambda: (
            f"{_shown(found)} is of type {_type(found)}; it has to be of type {value}.{_quote(found, value)}"
        ),
        "minimum": lambda: f"{found} is too small; at least {value} is allowed.",
        "maximum": lambda: f"{found} is too large; at most {value} is allowed.",
        "minLength": lambda: f"it is too short; at least {value} character(s) are needed.",
        "maxLength": lambda: f"it has {len(found)} characters; at most {value} are allowed.",
        "minItems": lambda: f"it has too few items; at least {value} are needed.",
        "maxItems": lambda: f"it has {len(found)} items; at most {value} are allowed.",
        "maxProperties": lambda: f"it has {len(found)} entries; at most {value} are allowed.",
        "uniqueItems": lambda: "an item stands twice; each may stand once.",
        "pattern": lambda: f"{_shown(found)} is not allowed; it has to match {value}.",
    }
    return texts[rule]() if rule in texts else f"{error.message}."


def _path(parts: Sequence[str | int]) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.lstrip(".")


def _type(value: Any) -> str:
    names = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null" if value is None else type(value).__name__)


def _quote(value: Any, wanted: Any) -> str:
    if wanted != "string" or not isinstance(value, (bool, int, float)):
        return ""
    # Bare yes, no, on and off are booleans as well; what was written is not known any more.
    return " Write it in quotes." if isinstance(value, bool) else f' Write it in quotes: "{value}".'


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _near(word: object, words: Sequence[object]) -> str:
    close = difflib.get_close_matches(str(word), list(map(str, words)), n=1)
    return f" Did you mean {close[0]}?" if close else ""
