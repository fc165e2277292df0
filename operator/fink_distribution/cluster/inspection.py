"""What stands in a Kubernetes cluster of this project, and what the present identity may do there."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from fink_distribution.cluster.api import Cluster, Gone, Object
from fink_distribution.errors import Reason, Stalled
from fink_distribution.resources.keys import API_VERSION, GROUP, Kind

_REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


@dataclass(frozen=True)
class Inspection:
    """What was found.

    Attributes
    ----------
    version
        The API server's, as in v1.33.1.
    served
        The kinds that the API server knows in our version.
    definitions
        The CustomResourceDefinitions, by kind, of those that are there; None when they may not be read.
    forbidden
        What may not be done, by kind.
    """

    version: str
    served: Collection[Kind]
    definitions: Mapping[Kind, Object] | None
    forbidden: Mapping[Kind, Collection[str]]


async def inspect(
    kubeconfig: str | None, namespace: str, wanted: Mapping[Kind, Collection[str]], timeout_seconds: float
) -> Inspection:
    """Look, and change nothing.

    Parameters
    ----------
    wanted
        The verbs to be asked for, by kind.

    Raises
    ------
    NotConfigured
        Nothing says where the API server is.
    ReconcileError
        It does not answer, or refuses to.
    """
    async with Cluster.connect(timeout_seconds, kubeconfig) as cluster:
        version = await cluster.ask("/version")
        served, definitions = await _served(cluster), await _definitions(cluster)
        pairs = [(kind, verb) for kind, verbs in wanted.items() for verb in verbs]
        allowed = await asyncio.gather(*(_may(cluster, namespace, *pair) for pair in pairs))
    refused = [pair for pair, is_allowed in zip(pairs, allowed, strict=True) if not is_allowed]
    forbidden = {kind: [verb for one, verb in refused if one is kind] for kind in wanted}
    return Inspection(version["gitVersion"], served, definitions, forbidden)


async def _served(cluster: Cluster) -> frozenset[Kind]:
    try:
        found = await cluster.ask(f"/apis/{API_VERSION}")
    except Gone:
        return frozenset()
    names = {each["name"] for each in found["resources"]}
    return frozenset(kind for kind in Kind if kind.plural in names)


async def _definitions(cluster: Cluster) -> dict[Kind, Object] | None:
    async def read(kind: Kind) -> Object | None:
        return await cluster.get("apiextensions.k8s.io/v1", "CustomResourceDefinition", None, f"{kind.plural}.{GROUP}")

    try:
        found = await asyncio.gather(*map(read, Kind))
    except Stalled as error:
        if error.reason is not Reason.NOT_AUTHORIZED:
            raise
        return None
    return {kind: definition for kind, definition in zip(Kind, found, strict=True) if definition is not None}


async def _may(cluster: Cluster, namespace: str, kind: Kind, verb: str) -> bool:
    attributes = {"namespace": namespace, "group": GROUP, "resource": kind.plural, "verb": verb}
    question = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    answer = await cluster.ask(_REVIEWS, question)
    return bool(answer["status"]["allowed"])
