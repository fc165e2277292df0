"""What is asked of the notifier over HTTP: /metrics by Prometheus, /readyz and /healthz by the kubelet."""

from __future__ import annotations

from contextlib import AbstractContextManager

from job_settings import endpoints
from slack_notifier.health import Health
from slack_notifier.metrics import Metrics


def serve(port: int | None, metrics: Metrics, health: Health) -> AbstractContextManager[None]:
    """Answer while the context lasts; without a port, nothing. Raises job_settings.endpoints.PortError."""
    probes = {
        "/readyz": lambda: "\n".join(health.problems) or None,
        "/healthz": lambda: None if health.is_alive else "no round for long",
    }
    return endpoints.serve(port, metrics.collectors, probes)
