"""Configuration documents: read, checked by a JSON schema, and what is wrong said in sentences."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

YAML_SUFFIXES = (".yaml", ".yml")


class ConfigError(Exception):
    """The document cannot be used; each problem names its field, what is allowed and what to do."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def packaged_schema(package: str, file: str) -> dict[str, Any]:
    """The JSON schema that a package carries; tests keep it equal to the one in schemas/."""
    loaded: dict[str, Any] = json.loads(resources.files(package).joinpath(file).read_text(encoding="utf-8"))
    return loaded


def read(file: Path) -> Any:
    """The document of a JSON file, or of a YAML file that is named so.

    Raises ConfigError.
    """
    kind = "YAML" if file.suffix in YAML_SUFFIXES else "JSON"
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{file}: cannot be read ({error}). Give the path of a {kind} file."]) from error
    return _read_yaml(text, file) if kind == "YAML" else _read_json(text, file)


def check(document: Any, schema: dict[str, Any]) -> None:
    """Raise ConfigError, with every problem found, unless the document is as the schema says."""
    errors = sorted(Draft202012Validator(schema).iter_errors(document), key=lambda error: list(map(str, error.path)))
    if errors:
        raise ConfigError([_sentence(error) for error in errors])


def _read_json(text: str, file: Path) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ConfigError([f"{file}: is not JSON ({error.msg} at {where}). Correct it there."]) from error


def _read_yaml(text: str, file: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())
        raise ConfigError([f"{file}: is not YAML ({said}). Correct it there."]) from error


def _sentence(error: ValidationError) -> str:
    """One problem as `field: what is wrong; what is allowed`."""
    field = error.json_path.removeprefix("$").removeprefix(".") or "the document"
    rule: Any = error.validator_value
    described: Any = error.schema
    found: Any = error.instance
    if error.validator == "required":
        missing = [name for name in rule if name not in found]
        return f"{field}: lacks {', '.join(missing)}. Add it."
    if error.validator == "additionalProperties":
        known = described.get("properties", {})
        unknown = [name for name in found if name not in known]
        return f"{field}: {', '.join(unknown)} is not known here. Allowed: {', '.join(known)}."
    if error.validator == "enum":
        return f"{field}: {json.dumps(found)} is not allowed. Allowed: {', '.join(rule)}."
    if error.validator == "maxProperties":
        return f"{field}: takes one of {', '.join(described['properties'])}, not several. Keep one."
    if error.validator == "not" and "description" in described:
        return f"{field}: {described['description']}"
    return f"{field}: {error.message}. {described.get('description', 'Correct it.')}"
