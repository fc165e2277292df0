"""Starting kopf."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, cast

import kopf

from fink_distribution.handlers.operator import build
from fink_distribution.settings import Settings


def run(settings: Settings) -> None:
    """Run the operator until it is told to stop (SIGTERM, SIGINT)."""
    formatter = kopf.LogFormat.JSON if settings.log_format == "json" else kopf.LogFormat.FULL
    # kopf's own DEBUG prints whole objects; ours never holds a secret, but it is not worth the noise.
    kopf.configure(log_format=formatter)
    logging.getLogger().setLevel(settings.log_level)
    logging.getLogger("kopf").setLevel(max(logging.WARNING, logging.getLevelName(settings.log_level)))
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    logging.getLogger("kopf.objects").addFilter(_is_news)
    liveness = f"http://0.0.0.0:{settings.liveness_port}/healthz" if settings.liveness_port else None
    asyncio.run(
        kopf.operator(
            registry=build(settings),
            memo=kopf.Memo(settings=settings),
            namespaces=settings.namespaces,
            clusterwide=not settings.namespaces,
            standalone=True,
            # kopf would ask for the user's name, which a bare numeric user of a container does not have.
            identity=cast("Any", "fink-distribution"),
            liveness_endpoint=liveness,
        )
    )


def _is_news(record: logging.LogRecord) -> bool:
    """Leave out that a deletion is tried again: its status says so already, with the reason."""
    return "failed temporarily" not in str(record.msg)
