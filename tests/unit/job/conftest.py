"""One local Spark session for the tests of the job's plans; no Kafka."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from distribution_job import session


@pytest.fixture(scope="session")
def spark(spark_jars: list[Path]) -> Iterator[SparkSession]:
    conf = {"spark.master": "local[2]", "spark.jars": ",".join(map(str, spark_jars)), "spark.driver.memory": "1g"}
    started = session.start("unit", conf)
    yield started
    started.stop()
