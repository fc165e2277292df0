"""Whatever becomes of a stream's Slack notifier, the stream's own outcome stays as it is."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from fink_distribution.errors import Reason, ReconcileError, Stalled
from fink_distribution.reconcile.context import Outcome
from fink_distribution.reconcile.slack_notifiers import SlackNotifiers
from fink_distribution.resources.conditions import State, Verdict
from fink_distribution.resources.distribution_stream import DistributionStream

RUNNING = Outcome(Verdict(State.READY, Reason.RUNNING, "all is well"), {"outputs": 1}, 10.0)
SLACK = {"tokenSecretRef": {"name": "workspace"}, "routes": [{"to": "#alerts"}]}


class World:
    """A registry and a cluster that end in one error."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error
        self.registry = self.cluster = SimpleNamespace(get=self.get)

    def get(self, *_: object) -> None:
        if self.error is not None:
            raise self.error


def beside(world: World, *, slack: Any = SLACK, was: str = "", uid: str = "u-1") -> Outcome:
    spec = {
        "source": {"parquet": {"claimName": "c"}},
        "checkpoint": {"claimName": "d"},
        "outputs": [{"name": "o", "topicRef": {"name": "t"}}],
        **({"slack": slack} if slack else {}),
    }
    conditions = [{"type": "SlackReady", "status": "True", "reason": was, "message": ""}] if was else []
    metadata = {"namespace": "ns", "name": "ztf", "uid": uid}
    body = {"kind": "DistributionStream", "metadata": metadata, "spec": spec, "status": {"conditions": conditions}}
    return asyncio.run(SlackNotifiers().beside(world, body, DistributionStream.of(body), RUNNING))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("error", "status", "reason", "kind"),
    [
        (Stalled(Reason.NOT_AUTHORIZED, "no"), "False", "NotAuthorized", "Warning"),
        (None, "Unknown", "DependencyNotReady", "Normal"),  # its topic is not there
        (KeyError("of a mistake"), "Unknown", "InternalError", "Normal"),
    ],
)
def test_what_goes_wrong_is_said_beside_the_stream(
    error: Exception | None, status: str, reason: str, kind: str
) -> None:
    found = beside(World(error), was="Running")
    assert (found.verdict, found.facts, found.again_seconds) == (RUNNING.verdict, RUNNING.facts, 10.0)
    (news,) = found.findings
    assert (news.type, news.status, news.reason) == ("SlackReady", status, reason)
    (event,) = found.events
    assert (event.kind, event.reason, event.message) == (kind, reason, f"Slack notifier: {news.message}")


def test_what_is_no_news_makes_no_event() -> None:
    for world, was in ((World(None), ""), (World(Stalled(Reason.NOT_AUTHORIZED, "no")), "NotAuthorized")):
        found = beside(world, was=was)
        assert found.findings
        assert found.events == ()


def test_without_a_notifier_nothing_is_said_and_what_was_said_is_withdrawn() -> None:
    found = beside(World(None), slack=None)
    assert (found.findings, found.withdrawn) == ((), ("SlackReady",))
    # What cannot be removed is said until it can.
    (news,) = beside(World(Stalled(Reason.NOT_AUTHORIZED, "no")), slack=None, was="Running").findings
    assert (news.status, news.reason) == ("False", "NotAuthorized")


def test_who_may_not_write_says_nothing() -> None:
    with pytest.raises(ReconcileError):
        beside(World(ReconcileError(Reason.LEASE_NOT_HELD, "another has it")), was="Running")
