"""The end: what is deleted goes, topics stay, and nothing of the demo is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from confluent_kafka import KafkaException
from rich.box import SIMPLE_HEAD
from rich.table import Table

from demo import installation, quickstart, readiness
from demo.cluster import Cluster, ClusterError
from demo.kafka_admin import KafkaAdmin
from demo.quickstart import NAMESPACE, RELEASE, STREAM, SYSTEM, USER
from demo.settings import Settings
from demo.steps import Steps

# The stream's own user in Kafka, as its KafkaUser says.
STREAM_USER = f"{NAMESPACE}.{STREAM}-stream"
LOG_LINES = 15

T = TypeVar("T")


@dataclass(frozen=True)
class Traces:
    """What the demo's objects have left, in Kubernetes and in Kafka."""

    pods: int
    secrets: int
    credentials: int
    permissions: int
    topics: dict[str, int]

    @classmethod
    def look(cls, cluster: Cluster, admin: KafkaAdmin) -> Traces:
        """Ask both."""
        place = ("--namespace", NAMESPACE)
        return cls(
            pods=len(cluster.items("pods", *place)),
            secrets=len(cluster.items("secrets", *place)),
            credentials=len(admin.credentials((USER, STREAM_USER))),
            permissions=admin.permissions((USER, STREAM_USER)),
            topics=admin.topics(quickstart.topics().values()),
        )


_COUNTED: dict[str, Callable[[Traces], int]] = {
    "pods": lambda traces: traces.pods,
    "Secrets": lambda traces: traces.secrets,
    "credentials in Kafka": lambda traces: traces.credentials,
    "permissions in Kafka": lambda traces: traces.permissions,
    "topics in Kafka": lambda traces: len(traces.topics),
    "messages in them, ends of transactions included": lambda traces: sum(traces.topics.values()),
}


def traces_table(before: Traces, after: Traces) -> Table:
    """Both, side by side."""
    table = Table("", "before", "after deletion", box=SIMPLE_HEAD)
    for what, count in _COUNTED.items():
        table.add_row(what, str(count(before)), str(count(after)))
    return table


def finish(cluster: Cluster, admin: KafkaAdmin, settings: Settings, steps: Steps) -> None:
    """Delete what was declared, show what that leaves, and uninstall."""
    before = _attempt(lambda: Traces.look(cluster, admin), steps)
    with steps.step("Deletes what was declared", look=f"kubectl -n {NAMESPACE} get all,secrets,fink"):
        steps.say(f"kubectl delete --namespace {NAMESPACE} -f examples/quickstart", "cyan")
        _delete(cluster, steps)
        after = _attempt(lambda: Traces.look(cluster, admin), steps)
        if before and after:
            steps.show(traces_table(before, after))
            steps.say(
                "The topics stay with their messages, because deletionPolicy is Retain unless one says otherwise."
            )
    with steps.step("Removes the operator, and then the demo's topics"):
        take_down(cluster, admin, settings, steps)


def take_down(cluster: Cluster, admin: KafkaAdmin, settings: Settings, steps: Steps) -> None:
    """Leave nothing of a demo, however far it had come."""
    ours = installation.is_ours(cluster, NAMESPACE)
    _delete(cluster, steps)
    _attempt(lambda: installation.delete_connection(cluster), steps)
    _let_go(cluster, steps)
    _attempt(lambda: installation.uninstall(cluster), steps)
    _attempt(lambda: installation.volumes_gone(cluster, settings), steps)
    left = _attempt(lambda: admin.topics(quickstart.topics().values()), steps) if ours else None
    if left:
        steps.say(f"deletes the topics {', '.join(left)} with the administrator's login")
        _attempt(lambda: admin.delete_topics(left), steps)


def last_words(cluster: Cluster, steps: Steps) -> None:
    """What the operator and the driver last said, for whoever has to find out."""
    for health in _attempt(lambda: readiness.look(cluster, (SYSTEM, NAMESPACE)), steps) or []:
        if not health.ready:
            steps.say(f"{health.name}: {health.reason}: {health.message}", "yellow")
    for namespace, pod in ((SYSTEM, f"deployment/{RELEASE}"), (NAMESPACE, f"pod/{STREAM}-driver-0")):
        try:
            said = cluster.kubectl("logs", "--namespace", namespace, pod, f"--tail={LOG_LINES}", timeout=20)
        except ClusterError as error:
            said = str(error)
        steps.say(f"the last lines of {pod}:", "yellow")
        for line in said.splitlines()[-LOG_LINES:]:
            steps.say(f"  {line}", "dim")


def say_how_to_go_on(steps: Steps, settings: Settings) -> None:
    """What KEEP=1 leaves, and how to end it."""
    steps.say("\nKEEP=1: everything runs on.", "bold")
    for what, command in (
        ("your shell", settings.hint),
        ("all of it", "kubectl get fink --all-namespaces"),
        ("the stream", f"kubectl -n {NAMESPACE} describe dstream {STREAM}"),
        ("its driver", f"kubectl -n {NAMESPACE} logs {STREAM}-driver-0"),
        ("the operator", f"kubectl -n {SYSTEM} logs deployment/{RELEASE}"),
        ("the end", "make demo-end; and of the testbed: make testbed-down"),
    ):
        steps.say(f"{what:<14} {command}")


def _delete(cluster: Cluster, steps: Steps) -> None:
    """Delete what was declared; what no operator lets go of is let go by hand, so that nothing hangs for ever."""
    _attempt(lambda: installation.delete_objects(cluster), steps)
    _let_go(cluster, steps)


def _let_go(cluster: Cluster, steps: Steps) -> None:
    stuck = _attempt(lambda: installation.let_go(cluster), steps)
    if stuck:
        steps.say(f"released by hand, because the operator did not: {', '.join(stuck)}", "yellow")


def _attempt(do: Callable[[], T], steps: Steps) -> T | None:
    try:
        return do()
    except (ClusterError, KafkaException, TimeoutError, OSError) as error:
        steps.say(str(error), "yellow")
        return None
