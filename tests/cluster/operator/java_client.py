"""Kafka's own command line tools, run from the broker's jars."""

from __future__ import annotations

import subprocess
from pathlib import Path


def can_list_topics(jars: Path, client_properties: str, bootstrap: str, folder: Path) -> bool:
    """Say whether kafka-topics.sh --list --command-config FILE gets in; any failure but a refused login fails the test."""
    file = folder / "client.properties"
    file.write_text(client_properties, encoding="latin-1")
    options = ["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-cp", f"{jars}/*"]
    words = ["--bootstrap-server", bootstrap, "--command-config", str(file), "--list"]
    done = subprocess.run(
        ["java", *options, "org.apache.kafka.tools.TopicCommand", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    said = done.stdout + done.stderr
    refused = "Authentication failed" in said or "SaslAuthenticationException" in said
    assert refused or done.returncode == 0, said
    return done.returncode == 0 and not refused
