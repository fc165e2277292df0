"""Configuration documents: read, checked by a JSON schema, and what is wrong said in sentences."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError

from job_settings.names import close

YAML_SUFFIXES = (".yaml", ".yml")
_LONGEST = 600  # characters of a problem
_LOGIN = re.compile(r"[^/\s@'\"]*:[^/\s@'\"]*@|(?<=password=)[^&\s'\"]+", re.IGNORECASE)


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
    errors = sorted(_Validator(schema).iter_errors(document), key=lambda error: list(map(str, error.path)))
    if errors:
        raise ConfigError([_sentence(error) for error in errors])


def _read_json(text: str, file: Path) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unrepeated)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ConfigError([f"{file}: is not JSON ({error.msg} at {where}). Correct it there."]) from error
    except (ValueError, RecursionError) as error:
        # A field that stands twice, a number of thousands of digits, brackets without end.
        raise ConfigError([f"{file}: {_one_line(str(error))}. Correct it."]) from error


def _read_yaml(text: str, file: Path) -> Any:
    import yaml

    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())
        raise ConfigError([f"{file}: is not YAML ({said}). Correct it there."]) from error


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice} stands twice in one object, and only one of the two could hold")
    return found


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Iterator[ValidationError]:
    """The keyword as JSON Schema means it: Python's own `$` also matches before a line break at the end."""
    if not validator.is_type(instance, "string"):
        return
    found = re.fullmatch(pattern, instance) if pattern.endswith("$") else re.search(pattern, instance)
    if found is None:
        # The description says it better than the pattern.
        why = "is not allowed" if "description" in schema else f"does not match {pattern!r}"
        yield ValidationError(f"{instance!r} {why}")


# An integer is one that is written so: 5.0 would come to Spark with its point.
_Validator = validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {"pattern": _pattern},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)


def _sentence(error: ValidationError) -> str:
    """One problem as `field: what is wrong; what is allowed`, in one line and without a login that a value may hold."""
    return _one_line(_LOGIN.sub(lambda found: "…@" if found[0].endswith("@") else "…", _said(error)[: 10 * _LONGEST]))


def _one_line(text: str) -> str:
    flat = " ".join("".join(character if character.isprintable() else " " for character in text).split())
    return flat if len(flat) <= _LONGEST else f"{flat[: _LONGEST - 1]}…"


def _said(error: ValidationError) -> str:
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
        near = [name for wanted in unknown for name in close(wanted, known)]
        hint = f" Close to it: {', '.join(dict.fromkeys(near))}." if near else ""
        return f"{field}: {', '.join(unknown)} is not known here. Allowed: {', '.join(known)}.{hint}"
    if error.validator == "enum":
        return f"{field}: {json.dumps(found)} is not allowed. Allowed: {', '.join(rule)}."
    if error.validator == "type" and isinstance(found, (dict, list)):
        # Without its content, which may be a password that stands where the name of its file belongs.
        shown = "an object" if isinstance(found, dict) else "a list"
        return f"{field}: {shown} is not of type {rule!r}. {described.get('description', 'Correct it.')}"
    if error.validator == "not" and "description" in described:
        return f"{field}: {described['description']}"
    # What is allowed matters more than a value that nobody would read to its end.
    message = error.message if len(error.message) <= _LONGEST // 2 else f"{error.message[: _LONGEST // 2]}…"
    return f"{field}: {message}. {described.get('description', 'Correct it.')}"
