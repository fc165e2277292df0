"""What the operator counts and times, for Prometheus.

Labels take few values: kinds, reasons, names of requests to Kafka and of KafkaConnections; never names of topics or users.
"""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import GaugeMetricFamily

from fink_distribution.errors import Reason
from fink_distribution.reconcile.registry import Registry
from fink_distribution.resources.conditions import condition
from fink_distribution.resources.keys import Body, Key, Kind, is_deleted

OUTDATED = "Outdated"
"""The result of a reconcile that began with an old view; it is done again."""
RELEASED = "Released"
"""The result of the reconcile that let a deleted resource go."""

_RECONCILE_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_CALL_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@dataclass
class Turn:
    """One reconcile while it runs.

    Attributes
    ----------
    result
        The reason that it ended with; None, not counted.
    changed
        Whether it changed something in Kafka.
    """

    key: Key
    begun: float
    result: str | None = None
    changed: bool = False


class Metrics:
    """The metrics of one operator process. `queue_depth` is set once there is a queue.

    Parameters
    ----------
    is_leader
        Whether this process may write.
    clock
        Seconds, monotonic.
    """

    def __init__(
        self,
        registry: Registry,
        is_leader: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self.queue_depth: Callable[[], int] = lambda: 0
        self._turns: dict[Key, Turn] = {}
        self._drifted: set[Key] = set()
        self.collectors = CollectorRegistry()
        ProcessCollector(registry=self.collectors)
        self.collectors.register(_State(registry, self._depth, self._oldest_turn_seconds, is_leader))
        self._reconciles = Counter(
            "fink_reconcile_total",
            "Reconciles that have ended, by the reason that they ended with.",
            ["kind", "result"],
            registry=self.collectors,
        )
        self._seconds = Histogram(
            "fink_reconcile_duration_seconds",
            "How long a reconcile took.",
            ["kind"],
            buckets=_RECONCILE_SECONDS,
            registry=self.collectors,
        )
        self._calls = Histogram(
            "fink_kafka_call_duration_seconds",
            "How long a request to Kafka took, by its name in AdminClient and ok or the reason of its failure.",
            ["call", "result"],
            buckets=_CALL_SECONDS,
            registry=self.collectors,
        )
        self._repaired = Counter(
            "fink_drift_repaired_total",
            "Resources that Kafka no longer agreed with, and that were put right.",
            ["kind"],
            registry=self.collectors,
        )
        for kind in Kind:
            # There from the start, so that the first one is an increase.
            self._repaired.labels(kind.value)

    @contextmanager
    def turn(self, key: Key) -> Iterator[Turn]:
        """Time one reconcile. A resource has one turn at a time."""
        turn = self._turns[key] = Turn(key, self._clock())
        try:
            yield turn
        finally:
            del self._turns[key]
            if turn.result is not None:
                self._count(turn)

    def changing(self, key: Key) -> None:
        """Note that a running reconcile changes something."""
        if key in self._turns:
            self._turns[key].changed = True

    def drifted(self, key: Key) -> None:
        """Note that Kafka no longer agrees with a resource; its next good reconcile that changes something repairs it."""
        self._drifted.add(key)

    def kafka_call(self, call: str, result: str, seconds: float) -> None:
        """Time a request to Kafka. Called in any thread."""
        self._calls.labels(call, result).observe(seconds)

    def _count(self, turn: Turn) -> None:
        kind = turn.key.kind.value
        self._reconciles.labels(kind, turn.result).inc()
        self._seconds.labels(kind).observe(self._clock() - turn.begun)
        if turn.result in (Reason.RECONCILED, RELEASED) and turn.key in self._drifted:
            self._drifted.discard(turn.key)
            if turn.changed and turn.result == Reason.RECONCILED:
                self._repaired.labels(kind).inc()

    def _depth(self) -> int:
        return self.queue_depth()

    def _oldest_turn_seconds(self) -> float:
        return max((self._clock() - turn.begun for turn in self._turns.values()), default=0.0)


class _State:
    """What is read when Prometheus asks."""

    def __init__(
        self,
        registry: Registry,
        queue_depth: Callable[[], int],
        oldest_turn_seconds: Callable[[], float],
        is_leader: Callable[[], bool],
    ) -> None:
        self._registry = registry
        self._queue_depth = queue_depth
        self._oldest_turn_seconds = oldest_turn_seconds
        self._is_leader = is_leader

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauges."""
        yield GaugeMetricFamily("fink_leader", "1 while this operator may write.", value=float(self._is_leader()))
        yield GaugeMetricFamily("fink_queue_depth", "Resources that wait for a reconcile.", value=self._queue_depth())
        yield GaugeMetricFamily(
            "fink_reconcile_in_progress_age_seconds",
            "For how long the oldest running reconcile has been running; 0 when none is.",
            value=self._oldest_turn_seconds(),
        )
        bodies = list(self._registry)
        resources = GaugeMetricFamily(
            "fink_resources", "Resources by their Ready condition.", labels=["kind", "reason", "ready"]
        )
        for labels, number in sorted(Tally(readiness(body) for body in bodies).items()):
            resources.add_metric(labels, number)
        yield resources
        orphans = GaugeMetricFamily(
            "fink_orphans", "What deleted resources have left behind in Kafka.", labels=["connection"]
        )
        for body in bodies:
            # Those in other namespaces are not honoured, and share their names.
            if (
                Key.of(body).kind is Kind.KAFKA_CONNECTION
                and Key.of(body).namespace == self._registry.operator_namespace
            ):
                orphans.add_metric([Key.of(body).name], len((body.get("status") or {}).get("orphans") or []))
        yield orphans


def readiness(body: Body) -> tuple[str, str, str]:
    """Return a resource's kind, and reason and status of its Ready condition; a reason that is not ours is Unknown."""
    kind = Key.of(body).kind.value
    if is_deleted(body):
        return kind, Reason.TERMINATING.value, "False"
    ready = condition(body, "Ready")
    if ready is None:
        return kind, "Unknown", "Unknown"
    reason = ready["reason"] if ready["reason"] in set(Reason) else "Unknown"
    return kind, reason, ready["status"]
