"""The chart, and finding things in what it renders."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

CHART = Path(__file__).parents[2] / "charts" / "fink-distribution"
RELEASE = "fink-distribution"

Object = dict[str, Any]
Helm = Callable[..., str]
Render = Callable[..., list[Object]]


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    """The objects of some kinds."""
    return [each for each in objects if each["kind"] in kinds]


def only(objects: list[Object], kind: str) -> Object:
    """The one object of a kind."""
    (found,) = of_kind(objects, kind)
    return found


def pod(objects: list[Object]) -> Object:
    """The operator's pod template."""
    template: Object = only(objects, "Deployment")["spec"]["template"]
    return template


def container(objects: list[Object]) -> Object:
    """The operator's container."""
    (found,) = pod(objects)["spec"]["containers"]
    result: Object = found
    return result


def environment(objects: list[Object]) -> dict[str, str]:
    """The operator's environment variables that have a value of their own."""
    return {each["name"]: each["value"] for each in container(objects)["env"] if "value" in each}
