"""The world of a reconcile in this process, for tests that have to act between two of its steps."""

from __future__ import annotations

import asyncio

from fink_distribution.cluster.api import Cluster
from fink_distribution.reconcile.connections import Connections
from fink_distribution.reconcile.context import Context
from fink_distribution.reconcile.intents import Intents
from fink_distribution.reconcile.metrics import Metrics
from fink_distribution.reconcile.news import News
from fink_distribution.reconcile.registry import Registry
from fink_distribution.settings import Settings


def context_in(namespace: str, cluster: Cluster, registry: Registry) -> Context:
    """Return what a reconcile is given by an operator whose own namespace this is."""
    settings = Settings(namespace=namespace)  # type: ignore[call-arg]
    connections = Connections(settings, cluster, registry)
    calm = asyncio.Event()
    calm.set()
    intents, news = Intents(cluster, namespace), News(cluster, calm)
    return Context(settings, cluster, registry, connections, intents, news, Metrics(registry), calm)
