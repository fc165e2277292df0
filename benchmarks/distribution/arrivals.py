"""When messages arrive at a reader of committed ones, and how late."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence

from confluent_kafka import Consumer, TopicPartition

from distribution.stage import PARTITIONS


class Arrivals:
    """Reads topics from their beginning in a thread, without decoding anything.

    The same alerts come again and again; the messages of one id in one topic are in order, so the n-th of them is from the n-th time.
    """

    def __init__(self, login: dict[str, str], topics: Sequence[str]) -> None:
        """`login`: librdkafka's, of somebody who may read the topics."""
        self._consumer = Consumer(
            {**login, "group.id": "unused", "enable.auto.commit": False, "isolation.level": "read_committed"}
        )
        self._topics = topics
        self._over = threading.Event()
        self._seen: Counter[tuple[str, bytes]] = Counter()
        self._begun: list[float] = []
        self._late: dict[int, list[float]] = defaultdict(list)
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Arrivals:
        self._consumer.assign([TopicPartition(topic, part, 0) for topic in self._topics for part in range(PARTITIONS)])
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._consumer.close()

    def begin(self) -> None:
        """The alerts are about to be written once more."""
        with self._lock:
            self._begun.append(time.time())

    @property
    def count(self) -> int:
        """How many messages have come."""
        return sum(map(len, list(self._late.values())))

    def late(self, first: int = 0) -> list[float]:
        """The seconds from a file's appearance to each message's arrival, sorted, but for those of the `first` times."""
        return sorted(seconds for number, found in self._late.items() if number >= first for seconds in found)

    def _read(self) -> None:
        while not self._over.is_set():
            messages = self._consumer.consume(5000, timeout=0.05)
            now = time.time()
            for message in messages:
                if message.error() is not None:
                    continue
                name = (message.topic(), dict(message.headers())["id"])
                number = self._seen[name]
                self._seen[name] += 1
                with self._lock:
                    self._late[number].append(now - self._begun[number])
