"""What is wrong with a configuration, in sentences."""

from __future__ import annotations

import json
from typing import Any

from jsonschema.exceptions import ValidationError


class ConfigError(Exception):
    """The document cannot be used; each problem names its field, what is allowed and what to do."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


def sentence(error: ValidationError) -> str:
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
    return f"{field}: {error.message}. {described.get('description', 'Correct it.')}"
