"""The status is the ledger of what is ours: it is never written from an old view."""

from __future__ import annotations

import asyncio

from cluster.operator.contexts import context_in
from cluster.operator.scene import MakeScene, Scene
from fink_distribution.cluster.api import Cluster
from fink_distribution.reconcile.context import Outdated
from fink_distribution.reconcile.registry import Registry
from fink_distribution.resources.conditions import State, Verdict
from fink_distribution.resources.keys import Body, Key


async def _report(scene: Scene, body: Body) -> Body | None:
    """Write a status from a view of the resource; return what the registry then knows of it."""
    async with Cluster.connect(10, scene.environment["KUBECONFIG"]) as cluster:
        registry = Registry(scene.home)
        registry.see(body)
        context = context_in(scene.home, cluster, registry)
        try:
            await context.report(body, Verdict(State.READY, "Reconciled", "all is well"), {"ownership": "Adopted"})
        except Outdated:
            return registry.get(Key.of(body))
    return None


def test_an_old_view_is_refused_and_the_new_one_taken(make_scene: MakeScene) -> None:
    scene = make_scene()
    scene.declare("AlertTopic", "alerts", {"topicName": scene.name("alerts")})
    old = scene.get("alerttopic", "alerts")
    scene.kubectl("annotate", "alerttopic", "alerts", "-n", scene.namespace, "note=changed")
    known = asyncio.run(_report(scene, old))
    assert known is not None
    assert known["metadata"]["annotations"]["note"] == "changed"
    assert "ownership" not in scene.status("alerttopic", "alerts")
    assert asyncio.run(_report(scene, known)) is None
    assert scene.status("alerttopic", "alerts")["ownership"] == "Adopted"
