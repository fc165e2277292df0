"""The Slack notifier's configuration: one JSON document, as schemas/slack-notifier.schema.json describes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from fink_distribution.resources.distribution_stream import DistributionStream
from fink_distribution.resources.slack import Route, Slack
from fink_distribution.streams import layout
from fink_distribution.streams.job_config import Surroundings, kafka_settings


def notifier_config(stream: DistributionStream, slack: Slack, around: Surroundings, slack_url: str) -> dict[str, Any]:
    """Return the document that the notifier reads. It holds no secret.

    Parameters
    ----------
    around
        What surrounds the notifier: its own user's mechanism, its own image.
    slack_url
        Where Slack's API is; empty for the notifier's own default.
    """
    url = {"url": slack_url} if slack_url else {}
    return {
        "version": 1,
        "slack": {"tokenFile": f"{layout.SLACK_DIRECTORY}/{layout.TOKEN_FILE}", **url},
        "kafka": kafka_settings(around.connection, around.mechanism),
        "group": stream.notifier_user,
        "metrics": {"port": layout.METRICS_PORT},
        "routes": [_route(stream, route, around) for route in slack.routes],
        **slack.settings,
    }


def _route(stream: DistributionStream, route: Route, around: Surroundings) -> dict[str, Any]:
    outputs = [output for output in stream.outputs if not route.outputs or output.name in route.outputs]
    where = {"where": [_condition(each) for each in route.where]} if route.where else {}
    return {"topics": [around.topics[output.topic] for output in outputs], **where, **route.settings}


def _condition(given: Mapping[str, Any]) -> dict[str, Any]:
    return {"field": given["field"], "operator": given["operator"], "value": _value(given)}


def _value(given: Mapping[str, Any]) -> Any:
    # A number is a text in Kubernetes, where floats do not survive a round trip.
    if "number" in given:
        return json.loads(given["number"])
    if "numbers" in given:
        return [json.loads(number) for number in given["numbers"]]
    return next(given[name] for name in ("text", "boolean", "texts") if name in given)
