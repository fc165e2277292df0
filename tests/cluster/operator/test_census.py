"""What the operator knows is what the API server has, also of what a watch does not tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from cluster.operator.scene import MakeScene, Scene
from fink_distribution.cluster import api
from fink_distribution.reconcile import census
from fink_distribution.reconcile.registry import Registry
from fink_distribution.resources.keys import Key, Kind


def _take(scene: Scene, registry: Registry, namespaces: Sequence[str]) -> list[str]:
    """Take a census; return the names of the topics that are looked at for it."""
    woken: list[Key] = []

    async def run() -> None:
        async with api.Cluster.connect(10, scene.environment["KUBECONFIG"]) as cluster:
            await census.take(cluster, registry, namespaces)

    registry.on_wake = woken.append
    asyncio.run(run())
    return sorted({key.name for key in woken if key.kind is Kind.ALERT_TOPIC and key.namespace == scene.namespace})


def test_all_pages_of_a_listing_are_known(make_scene: MakeScene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene, registry = make_scene(), Registry("home")
    names = [f"t{number}" for number in range(5)]
    scene.apply(*(scene.manifest("AlertTopic", name, {}) for name in names))
    monkeypatch.setattr(api, "_PAGE", 2)
    assert _take(scene, registry, [scene.namespace]) == names
    assert _take(scene, registry, []) == []
    body = registry.get(Key(Kind.ALERT_TOPIC, scene.namespace, "t4"))
    assert body is not None
    assert body["kind"] == "AlertTopic"


def test_one_that_went_unseen_leaves_its_topic_to_its_rival(make_scene: MakeScene) -> None:
    scene, registry = make_scene(), Registry("home")
    topic = scene.name("alerts")
    for name in ("first", "second"):
        scene.declare("AlertTopic", name, {"topicName": topic})
    assert _take(scene, registry, [scene.namespace]) == ["first", "second"]
    scene.delete("alerttopic", "first")
    assert _take(scene, registry, [scene.home]) == []
    assert registry.get(Key(Kind.ALERT_TOPIC, scene.namespace, "first")) is not None
    assert _take(scene, registry, [scene.namespace]) == ["second"]
    assert registry.get(Key(Kind.ALERT_TOPIC, scene.namespace, "first")) is None


def test_one_that_was_made_anew_under_its_name_is_another(make_scene: MakeScene) -> None:
    scene, registry = make_scene(), Registry("home")
    scene.declare("AlertTopic", "alerts")
    _take(scene, registry, [])
    scene.delete("alerttopic", "alerts")
    scene.declare("AlertTopic", "alerts")
    assert _take(scene, registry, []) == ["alerts"]
    body = registry.get(Key(Kind.ALERT_TOPIC, scene.namespace, "alerts"))
    assert body is not None
    assert body["metadata"]["uid"] == scene.get("alerttopic", "alerts")["metadata"]["uid"]


def test_one_that_goes_while_it_is_listed_does_not_come_back(
    make_scene: MakeScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene, registry = make_scene(), Registry("home")
    for name in ("goes", "stays"):
        scene.declare("AlertTopic", name)
    _take(scene, registry, [scene.namespace])
    listing = api.Cluster.listing

    async def slow(*args: Any) -> AsyncIterator[api.Object]:
        found = [each async for each in listing(*args)]
        for each in found:
            if each["metadata"]["name"] == "goes":
                scene.delete("alerttopic", "goes")
                census.forget(registry, each)  # as the watch tells meanwhile
        for each in found:
            yield each

    monkeypatch.setattr(api.Cluster, "listing", slow)
    assert _take(scene, registry, [scene.namespace]) == []
    assert [body["metadata"]["name"] for body in registry.of_kind(Kind.ALERT_TOPIC)] == ["stays"]
