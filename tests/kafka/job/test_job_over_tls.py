"""The job over TLS: on the driver and in Spark's producers, with the authority's certificate from a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from confluent_kafka.admin import AdminClient
from job_process import JobProcess
from job_stream import Stream
from received import ids

from demo import science_alerts
from testbed.authority import Authority
from testbed.broker import Broker
from testbed.tls_listeners import TlsListeners


def test_alerts_go_over_tls_and_not_to_a_broker_of_another_authority(
    tls_broker: tuple[Broker, TlsListeners], tmp_path: Path, spark_jars: list[Path], eventually: Callable[..., Any]
) -> None:
    broker, listeners = tls_broker
    login = broker.client_config()
    stream = Stream(AdminClient(login), login, tmp_path)
    topic = stream.topic("all")
    ca = stream.credentials / "ca.crt"
    ca.write_text(Authority(tmp_path / "other").certificate.read_text())
    kafka = {
        **stream.kafka,
        "bootstrapServers": listeners.bootstrap,
        "securityProtocol": "SASL_SSL",
        "caFile": str(ca),
    }
    job = JobProcess(tmp_path / "stream", kafka, spark_jars, eventually)
    job.document["outputs"] = [{"name": "all", "topic": topic}]
    try:
        job.start()
        alerts = science_alerts.generate(40, seed=7)
        job.drop(alerts, files=2)
        job.until(lambda: job.progress().get("lastErrorReason") == "KafkaUnavailable", "the broker is not trusted")
        assert "certificate verify failed" in job.progress()["lastError"]
        ca.write_text(listeners.ca)
        job.until_read(40)
        assert ids(login, topic) == sorted(alerts["candid"].to_pylist())
        job.stop()
    finally:
        job.kill()
