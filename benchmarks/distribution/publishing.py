"""Publishing without Spark: the job's own transaction, and Kafka's ProducerPerformance, with the same sizes and settings.

`python -m distribution.publishing` is the first of them, as a process of its own with one JSON document as its input.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from job_stream import Stream

from distribution_job.kafka_sink import LARGEST_MESSAGE
from distribution_job.transactions import Transactions
from fink_distribution.local_kafka.java import find_java, kafka_command
from fink_distribution.local_kafka.private import write_private
from fink_distribution.resources.credentials import java_properties
from job_settings.kafka import freeze

_POOL = 256  # different messages, all of random capital letters as ProducerPerformance's are
_BATCH = 1024 * 1024
_TOLD = re.compile(r"^(\d+) records sent, ([\d.]+) records/sec", re.MULTILINE)


def producer_performance(stream: Stream, libraries: Path, topic: str, messages: int, size: int) -> float:
    """Messages a second of Kafka's own tool, to one topic; `libraries` is the folder of its jars."""
    settings = {
        "bootstrap.servers": stream.kafka["bootstrapServers"],
        "security.protocol": stream.kafka["securityProtocol"],
        "sasl.mechanism": stream.kafka["saslMechanism"],
        "sasl.jaas.config": (stream.credentials / "sasl.jaas.config").read_text(),
        "acks": "all",
        "compression.type": "zstd",
        "linger.ms": "50",
        "batch.size": str(_BATCH),
        "buffer.memory": str(64 * 1024 * 1024),
        "max.request.size": str(LARGEST_MESSAGE + 100_000),
    }
    file = stream.credentials / "producer.properties"
    write_private(file, java_properties(settings))
    words = ["--topic", topic, "--num-records", str(messages), "--record-size", str(size), "--throughput", "-1"]
    tool = "org.apache.kafka.tools.ProducerPerformance"
    command = kafka_command(find_java(), libraries, tool, *words, "--producer.config", file)
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(_TOLD.findall(done.stdout)[-1][1])


def transaction(stream: Stream, topics: Sequence[str], messages: int, size: int) -> float:
    """Messages a second of one transaction of the job's, from its begin to its commit."""
    asked = {"kafka": stream.kafka, "id": stream.user, "topics": list(topics), "messages": messages, "size": size}
    command = [sys.executable, "-m", "distribution.publishing"]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=True)
    return messages / float(done.stdout)


def main() -> None:
    """Send them all, and print the seconds."""
    asked = json.load(sys.stdin)
    letters = np.random.default_rng(11).integers(65, 91, (_POOL, asked["size"]), dtype=np.uint8)
    values, topics = [row.tobytes() for row in letters], asked["topics"]
    transactions = Transactions(freeze(asked["kafka"]), asked["id"])
    transactions.begin(_BATCH)
    transactions.abort()  # the next one has its connection
    begun = time.perf_counter()
    transactions.begin(_BATCH)
    for number in range(asked["messages"]):
        transactions.send(topics[number % len(topics)], number % 4, b"", values[number % _POOL], [])
    transactions.flush()
    transactions.commit("benchmark", topics)
    print(time.perf_counter() - begun)


if __name__ == "__main__":
    main()
