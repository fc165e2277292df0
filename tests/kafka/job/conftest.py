"""A stream's user, topics and process, on the real broker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import AdminClient
from job_process import JobProcess
from job_stream import Stream

from testbed.environment import Environment, properties


@pytest.fixture
def stream(kafka_admin: AdminClient, testbed: Environment, tmp_path: Path) -> Stream:
    return Stream(kafka_admin, dict(properties(testbed.kafka_admin_config)), tmp_path)


@pytest.fixture
def job(stream: Stream, tmp_path: Path, spark_jars: list[Path], eventually: Callable[..., Any]) -> Iterator[JobProcess]:
    process = JobProcess(tmp_path / "stream", stream.kafka, spark_jars, eventually)
    yield process
    process.kill()
