from __future__ import annotations

from typing import Any

import pytest

from demo import readiness
from demo.cluster import ClusterError
from demo.readiness import Health


def resource(
    name: str, ready: str | None, reason: str = "Reconciled", stalled: bool = False, seen: int = 1
) -> dict[str, Any]:
    conditions = []
    if ready is not None:
        conditions.append({"type": "Ready", "status": ready, "reason": reason, "message": f"{name} says so"})
    if stalled:
        conditions.append({"type": "Stalled", "status": "True", "reason": reason, "message": ""})
    metadata = {"name": name, "namespace": "fink-demo", "generation": 1}
    return {
        "kind": "AlertTopic",
        "metadata": metadata,
        "status": {"observedGeneration": seen, "conditions": conditions},
    }


class Cluster:
    """A cluster that gives one list after the other, the last again and again."""

    def __init__(self, *lists: list[dict[str, Any]], pods: list[dict[str, Any]] | None = None) -> None:
        self.lists = list(lists)
        self.pods = pods or []

    def items(self, *words: str) -> list[dict[str, Any]]:
        if words[0] == "pods":
            return self.pods
        return self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr(readiness, "time", Clock())
    return []


def wait(cluster: Cluster, said: list[str], seconds: float = 100) -> None:
    readiness.wait(
        cluster, ["fink-system", "fink-demo"], ["AlertTopic a"], lambda text, _style: said.append(text), seconds
    )  # type: ignore[arg-type]


def test_ready_counts_for_the_present_generation_only() -> None:
    assert Health.of(resource("a", "True")).ready
    assert not Health.of(resource("a", "True", seen=0)).ready
    assert not Health.of(resource("a", "False")).ready


def test_a_resource_that_nobody_has_looked_at_says_so() -> None:
    assert Health.of(resource("a", None)).reason == "NotSeenYet"


def test_what_is_ready_at_once_is_not_talked_about(said: list[str]) -> None:
    wait(Cluster([resource("a", "False")], [resource("a", "True")]), said)
    assert said == []


def test_one_that_is_not_there_yet_is_waited_for(said: list[str]) -> None:
    wait(Cluster([], [], [resource("a", "True")]), said)


def test_each_reason_is_said_once_and_a_sign_of_life_after_a_while(said: list[str]) -> None:
    waiting = [resource("a", "False", "Progressing")]
    wait(Cluster(*[waiting] * 25, [resource("a", "True")]), said)
    assert [line.split("s  ", 1)[1] for line in said] == [
        "AlertTopic a: Progressing: a says so",
        "still waits for AlertTopic a (Progressing)",
    ]


def test_those_that_share_a_reason_share_a_line(said: list[str]) -> None:
    same = [resource(name, None) for name in "abc"]
    wait(Cluster(*[same] * 5, [resource(name, "True") for name in "abc"]), said)
    assert len(said) == 1
    assert "AlertTopic a and 2 more: NotSeenYet" in said[0]


def test_what_only_a_person_can_mend_ends_the_wait_early(said: list[str]) -> None:
    with pytest.raises(ClusterError, match=r"Only a person can mend this: AlertTopic a \(Conflict\)"):
        wait(Cluster([resource("a", "False", "Conflict", stalled=True)]), said, seconds=1000)
    assert readiness.time.monotonic() < 60


def test_the_wait_ends_with_what_is_missing(said: list[str]) -> None:
    with pytest.raises(ClusterError, match=r"Not Ready after 10 s: .*not there: AlertTopic a"):
        wait(Cluster([resource("b", "True")]), said, seconds=10)


def test_an_operator_that_does_not_run_ends_the_wait(said: list[str]) -> None:
    waiting = {"reason": "CrashLoopBackOff", "message": "back-off"}
    pods = [{"status": {"containerStatuses": [{"state": {"waiting": waiting}}]}}]
    with pytest.raises(ClusterError, match="operator's pod does not run: CrashLoopBackOff"):
        wait(Cluster([resource("a", None)], pods=pods), said)
