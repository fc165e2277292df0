"""Two operators at once: the Lease decides, and who does not hold it writes nothing."""

from __future__ import annotations

import signal
import urllib.request
from typing import Any

from cluster.operator.scene import MakeScene, Scene
from testbed import ports
from testbed.fixtures import wait_for

LEASE = ("lease", "fink-distribution")


def _pair(make_scene: MakeScene, **settings: float) -> tuple[Scene, Scene]:
    """Two operators for the same namespaces; only the first runs, and holds the Lease."""
    first = make_scene(identity="first", **settings)
    second = make_scene(identity="second", beside=first, **settings)
    first.start()
    _held_by(first, "first")
    return first, second


def _lease(scene: Scene) -> dict[str, Any]:
    found: dict[str, Any] = scene.get(*LEASE, namespace=scene.home)
    return found


def _held_by(scene: Scene, identity: str, timeout: float = 180) -> dict[str, Any]:
    def look() -> dict[str, Any]:
        spec: dict[str, Any] = _lease(scene)["spec"]
        return spec if spec["holderIdentity"] == identity else {}

    return wait_for(look, timeout=timeout, what=f"{identity} holds the Lease")


def _says(scene: Scene, text: str, timeout: float = 180) -> str:
    return wait_for(
        lambda: next((line for line in scene.log.read_text().splitlines() if text in line), ""),
        timeout=timeout,
        what=f"the log says {text!r}",
    )


def test_one_works_the_other_waits_and_takes_over_at_once_when_the_first_is_stopped(make_scene: MakeScene) -> None:
    first, second = _pair(make_scene, lease_seconds=600)
    second.liveness_port = ports.pick("liveness")
    second.start()
    assert "waits" in _says(second, "is held by first")
    first.apply(first.admin_secret(), first.connection())
    first.declare("AlertTopic", "alerts", {"topicName": first.name("alerts")})
    first.ready("alerttopic", "alerts", "Reconciled")
    with urllib.request.urlopen(f"http://127.0.0.1:{second.liveness_port}/healthz", timeout=10) as answer:
        assert answer.read() == b'{"leader": false}', "who waits is alive"
    assert first.name("alerts") not in second.log.read_text()
    assert first.stop() == 0
    # The Lease would last for ten minutes more.
    spec = _held_by(first, "second")
    assert spec["leaseTransitions"] == 1
    first.declare("AlertTopic", "more", {"topicName": first.name("more")})
    first.ready("alerttopic", "more", "Reconciled")
    assert second.stop() == 0
    assert _lease(first)["spec"]["holderIdentity"] == ""


def test_one_that_waits_can_be_stopped(make_scene: MakeScene) -> None:
    first, second = _pair(make_scene)
    second.start()
    _says(second, "is held by first")
    assert second.stop() == 0
    assert _lease(first)["spec"]["holderIdentity"] == "first"


def test_after_a_kill_the_other_takes_over_when_the_lease_has_run_out(make_scene: MakeScene) -> None:
    first, second = _pair(make_scene)
    first.apply(first.admin_secret(), first.connection())
    first.declare("AlertTopic", "before", {"topicName": first.name("before")})
    first.ready("alerttopic", "before", "Reconciled")
    second.start()
    _says(second, "is held by first")
    first.kill()
    first.declare("AlertTopic", "after", {"topicName": first.name("after")})
    first.kubectl("delete", "alerttopic", "before", "-n", first.namespace, "--wait=false")
    _held_by(first, "second", timeout=6 + 180)
    first.ready("alerttopic", "after", "Reconciled")
    wait_for(lambda: not first.exists("alerttopic", "before"), what="the deleted topic is released by the second")


def test_one_that_was_frozen_beyond_its_lease_writes_nothing_any_more(make_scene: MakeScene) -> None:
    first, second = _pair(make_scene)
    first.apply(first.admin_secret(), first.connection())
    first.declare("AlertTopic", "alerts", {"topicName": first.name("alerts"), "config": {"retention.ms": "3600000"}})
    first.ready("alerttopic", "alerts", "Reconciled")
    second.start()
    _says(second, "is held by first")
    assert first.process is not None
    first.process.send_signal(signal.SIGSTOP)
    _held_by(first, "second")
    second.ready("kafkaconnection", "default", "Connected", second.home)
    second.kill()
    # Nobody is there but the frozen one, which wakes to all of this.
    changed = {"topicName": first.name("alerts"), "partitions": 3, "config": {"retention.ms": "7200000"}}
    first.declare("AlertTopic", "alerts", changed)
    first.declare("AlertTopic", "new", {"topicName": first.name("new")})
    first.declare("KafkaUser", "new", {"userName": first.name("new")})
    first.kubectl("delete", "alerttopic", "alerts", "-n", first.namespace, "--wait=false")
    before = _objects(first)
    first.process.send_signal(signal.SIGCONT)
    assert first.process.wait(timeout=60) == 3
    first.process = None
    assert _objects(first) == before, "no status, no finalizer, no Secret, no Event"
    assert (first.topics(), first.users()) == ({first.name("alerts"): 1}, set())
    assert first.topic_config(first.name("alerts")) == {"retention.ms": "3600000"}
    _says(first, "was taken by another operator")


def _objects(scene: Scene) -> set[str]:
    """All that an operator may write, with the version that each write changes."""
    template = '{range .items[*]}{.kind}/{.metadata.name}@{.metadata.resourceVersion}{"\\n"}{end}'
    found: set[str] = set()
    for namespace in (scene.namespace, scene.home):
        for kinds in ("fink", "secrets,events,leases"):
            found |= set(
                scene.kubectl("get", kinds, "-n", namespace, "-o", f"jsonpath={template}", "--ignore-not-found").split()
            )
    return found


def test_the_times_in_the_lease_do_not_matter(make_scene: MakeScene) -> None:
    """Another machine's clock, or a jump of ours, neither hastens a takeover nor prevents it."""
    scene = make_scene(lease_seconds=6)
    for year in ("2001", "2099"):
        now = f"{year}-01-01T00:00:00.000000Z"
        spec = {"holderIdentity": f"dead-{year}", "leaseDurationSeconds": 6, "acquireTime": now, "renewTime": now}
        metadata = {"name": LEASE[1], "namespace": scene.home}
        scene.apply({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec})
        scene.start()
        waits = _says(scene, f"is held by dead-{year}")
        _held_by(scene, scene.identity)
        acquired = _says(scene, f"is held by this operator, {scene.identity}")
        assert _seconds_between(waits, acquired) > 5
        assert scene.stop() == 0
        scene.log.unlink()


def _seconds_between(first: str, second: str) -> float:
    from datetime import datetime

    def stamp(line: str) -> datetime:
        return datetime.strptime(line.strip("[").partition("]")[0], "%Y-%m-%d %H:%M:%S,%f")

    return (stamp(second) - stamp(first)).total_seconds()


def test_a_label_on_the_lease_is_no_loss(make_scene: MakeScene) -> None:
    scene = make_scene()
    scene.start()
    acquired = _held_by(scene, scene.identity)
    scene.kubectl("label", *LEASE, "-n", scene.home, "seen=yes")
    wait_for(lambda: _lease(scene)["spec"]["renewTime"] > acquired["renewTime"], what="it is renewed")
    version = _lease(scene)["spec"]["renewTime"]
    wait_for(lambda: _lease(scene)["spec"]["renewTime"] > version, what="it is renewed again")
    assert _lease(scene)["metadata"]["labels"] == {"seen": "yes"}
    assert scene.process is not None
    assert scene.process.poll() is None
