"""What an application tells Prometheus."""

from __future__ import annotations

import re

import requests


def scraped(port: int) -> dict[str, float]:
    """The metrics by name and labels, as Prometheus reads them."""
    answer = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10)
    answer.raise_for_status()
    return {name: float(value) for name, value in re.findall(r"^(\w[^ ]*) (\S+)$", answer.text, re.MULTILINE)}
