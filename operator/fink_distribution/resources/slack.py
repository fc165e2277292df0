"""What a DistributionStream says of its Slack notifier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

DEFAULT_KEY = "token"
_ROUTE_SETTINGS = ("classes", "to", "toChannelOfClass", "intervalSeconds", "threads")
_SETTINGS = ("startingFrom", "portal", "digest", "repeats", "nightBeginsAtHour", "fields")


@dataclass(frozen=True)
class Route:
    """Which alerts go where.

    Attributes
    ----------
    outputs
        The outputs whose alerts it is about; empty, all.
    where
        The conditions, as the spec has them.
    settings
        What stands in the notifier's document as it does in the spec.
    """

    outputs: tuple[str, ...]
    where: tuple[Mapping[str, Any], ...]
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Slack:
    """The notifier of a stream.

    Attributes
    ----------
    token_secret, token_key
        The entry of a Secret, in the stream's namespace, that holds Slack's token.
    settings
        What stands in the notifier's document as it does in the spec.
    """

    token_secret: str
    token_key: str
    routes: tuple[Route, ...]
    settings: Mapping[str, Any]
    cpu: str
    memory: str
    image: str | None

    @classmethod
    def of(cls, spec: Mapping[str, Any]) -> Slack:
        """Read spec.slack of a stream that the API server has checked."""
        token, resources = spec["tokenSecretRef"], spec.get("resources") or {}
        return cls(
            token_secret=token["name"],
            token_key=token.get("key", DEFAULT_KEY),
            routes=tuple(_route(route) for route in spec["routes"]),
            settings={name: spec[name] for name in _SETTINGS if name in spec},
            cpu=resources.get("cpu", "100m"),
            memory=resources.get("memory", "512Mi"),
            image=spec.get("image"),
        )

    def reads(self, output: str) -> bool:
        """Say whether any route is about an output."""
        return any(not route.outputs or output in route.outputs for route in self.routes)


def _route(route: Mapping[str, Any]) -> Route:
    settings = {name: route[name] for name in _ROUTE_SETTINGS if name in route}
    return Route(tuple(route.get("outputs") or ()), tuple(route.get("where") or ()), settings)
