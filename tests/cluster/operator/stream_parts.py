"""What a stream needs around it in a scene: topics and claims."""

from __future__ import annotations

from typing import Any

from cluster.operator.scene import Scene


def claim(scene: Scene, name: str) -> dict[str, Any]:
    """Return a claim that nothing has to bind."""
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": ""}
    metadata = {"name": name, "namespace": scene.namespace}
    return {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": metadata, "spec": spec}


def stream_spec(**more: object) -> dict[str, Any]:
    """Return the spec of a stream with two outputs."""
    return {
        "source": {"parquet": {"claimName": "science"}},
        "checkpoint": {"claimName": "checkpoint"},
        "outputs": [
            {"name": "all", "topicRef": {"name": "all"}},
            {"name": "bright", "topicRef": {"name": "bright"}, "filter": {"sql": "candidate.magpsf < 18"}},
        ],
        **more,
    }


def declare_topics(scene: Scene) -> None:
    """Declare the topics of its outputs."""
    for name in ("all", "bright"):
        scene.declare("AlertTopic", name, {"topicName": scene.name(name)})


def set_stage(scene: Scene) -> None:
    """Declare all that it needs."""
    declare_topics(scene)
    scene.apply(claim(scene, "science"), claim(scene, "checkpoint"))
