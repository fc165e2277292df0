"""The two promises of delivery: how messages leave, and when a batch's files count as delivered."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from pyspark.sql import DataFrame

from distribution_job.alert_files import AlertFile
from distribution_job.backlog import Backlog
from distribution_job.config import Guarantee, JobConfig
from distribution_job.failures import Failure
from distribution_job.fan_out import collect, fan_out
from distribution_job.journal import Effect, Intent, Journal
from distribution_job.kafka_sink import batch_bytes, options, shared
from distribution_job.ledger import Ledger, ledger_folder
from distribution_job.limits import Allowance, over_share
from distribution_job.pass_counts import INSIDE
from distribution_job.single_pass import SinglePass
from distribution_job.slices import Slices
from distribution_job.stages import Stage, StageTimes
from distribution_job.topics import Topic
from distribution_job.transactions import Transactions
from job_settings import nights

Counted = tuple[Mapping[str, Any], Mapping[str, Any]]
"""What a pass has counted: while filtering, and while encoding."""


class Delivery(Protocol):
    """`journal` knows what is delivered. `is_atomic`: of a delivery that fails, nothing is there."""

    journal: Journal
    is_atomic: bool

    def note_topics(self, topics: Iterable[Topic | Failure]) -> None:
        """What is about to be written to."""
        ...

    def recover(self) -> None:
        """Find out about a delivery that was cut off. Raises BatchError."""
        ...

    def cut(self, files: Iterable[AlertFile]) -> Sequence[AlertFile]:
        """The first files, as many as one delivery should have; no more are asked for than it takes to know."""
        ...

    def write(self, alerts: DataFrame, single: SinglePass) -> Counted:
        """Send the matches of one pass; within `carry_out`. Raises what Spark and the clients raise."""
        ...

    def restart(self) -> None:
        """Undo what `write` has sent within this `carry_out`, where that can be undone."""
        ...

    def carry_out(self, key: str, send: Callable[[], Effect]) -> None:
        """One delivery of the batch `key`, after `recover`: `send` writes and says what follows from it, which then holds, also
        after a crash."""
        ...


def delivery(config: JobConfig, backlog: Backlog, times: StageTimes) -> Delivery:
    """The one that the configuration asks for; `times` is told how long its stages take."""
    ledger = Ledger(ledger_folder(config.checkpoint))
    if config.delivery.guarantee is Guarantee.EXACTLY_ONCE:
        transactions = Transactions(config.kafka, config.delivery.transactional_id)
        journal = Journal(backlog, ledger, config.checkpoint / "delivery.json")
        return ExactlyOnce(transactions, journal, times, config.night_begins)
    return AtLeastOnce(config, Journal(backlog, ledger), times)


class AtLeastOnce:
    """Spark's own sink: each task has a producer, and what was sent before a failure is sent again."""

    is_atomic = False

    def __init__(self, config: JobConfig, journal: Journal, times: StageTimes | None = None) -> None:
        self._config = config
        self._times = times or StageTimes()
        self.journal = journal

    def note_topics(self, topics: Iterable[Topic | Failure]) -> None:
        pass

    def recover(self) -> None:
        pass

    def cut(self, files: Iterable[AlertFile]) -> Sequence[AlertFile]:
        return list(files)

    def write(self, alerts: DataFrame, single: SinglePass) -> Counted:
        with self._times.of(Stage.PASS):
            return self._write(alerts, single)

    def _write(self, alerts: DataFrame, single: SinglePass) -> Counted:
        # The executors send as they go, so whoever matches too many has to be known before.
        limited = any(routed.output.max_match_percent is not None for routed in single.outputs)
        counted = single.counted(alerts) if limited else {}
        held = over_share(single.outputs, counted) if limited else frozenset()
        made = single.over(alerts, held)
        topics = {routed.topic for routed in single.outputs}
        batch = shared(batch_bytes(topic.largest for topic in topics), sum(topic.partitions for topic in topics))
        made.rows.write.format("kafka").options(**options(self._config, batch)).mode("append").save()
        filtering, encoding = made.counts()
        matched = {f"matched_{position}": counted[f"matched_{position}"] for position in held}
        return {**filtering, **matched}, {**encoding, "held": held}

    def restart(self) -> None:
        pass

    def carry_out(self, key: str, send: Callable[[], Effect]) -> None:
        effect = send()
        with self._times.of(Stage.LEDGER):
            self.journal.settle(effect)


class ExactlyOnce:
    """One producer in the driver, and a transaction for each delivery.

    The order of effects: messages; what follows, on disk, as intended; the commit; what follows, for good. A crash before the commit
    leaves nothing behind that a reader with `isolation.level=read_committed` sees; one after it is made up for by `recover`.
    """

    is_atomic = True

    def __init__(
        self,
        transactions: Transactions,
        journal: Journal,
        times: StageTimes | None = None,
        night_begins: float = nights.BEGINS_AT_HOUR,
    ) -> None:
        """`night_begins`: an hour of UTC."""
        self._transactions = transactions
        self._times = times or StageTimes()
        self.journal = journal
        self._slices = Slices()
        self._allowance = Allowance(self.journal.nights, night_begins)
        self._limits: dict[str, int | None] = {}
        self._topics: set[str] = set()
        self._bytes = 0

    def note_topics(self, topics: Iterable[Topic | Failure]) -> None:
        self._limits |= {topic.name: topic.largest for topic in topics if isinstance(topic, Topic)}

    def recover(self) -> None:
        intent = self.journal.intent
        if intent is None:
            return
        if self._transactions.marked(intent.mark, intent.topics):
            self.journal.settle(intent.effect)
        else:
            self.journal.forget()

    def cut(self, files: Iterable[AlertFile]) -> Sequence[AlertFile]:
        return self._slices.cut(files)

    def write(self, alerts: DataFrame, single: SinglePass) -> Counted:
        with self._times.of(Stage.PASS):
            collected = collect(single.encoded_once(alerts), single)
            if collected.filtering[INSIDE]:
                # Nothing is sent yet, and it is rare.
                collected = collect(single.encoded_once(alerts, is_mending=True), single)
        self._bytes += collected.table.nbytes
        with self._times.of(Stage.PUBLISH):
            if not self._topics:
                # For all topics that there ever were, so that it is the same producer whichever it writes to.
                self._transactions.begin(batch_bytes(self._limits.values()))
            self._topics |= {routed.topic.name for routed in single.outputs}
            encoding = fan_out(collected, single.outputs, self._transactions.send, self._allowance.take)
            self._transactions.flush()
        return collected.filtering, encoding

    def restart(self) -> None:
        # Begun for the first pass of a delivery, and only then is there something to undo.
        if self._topics:
            self._transactions.abort()
        self._topics, self._bytes = set(), 0
        self._allowance.undo()

    def carry_out(self, key: str, send: Callable[[], Effect]) -> None:
        self._topics, self._bytes, begun = set(), 0, time.monotonic()
        self._allowance.begin(key)
        try:
            effect = send()
            if not set(effect.outputs) - set(effect.waiting):
                # No output has anything of it.
                self.restart()
            effect = replace(effect, nights=self._allowance.nights)
        except BaseException:
            self._slices.shrink()
            self.restart()
            raise
        if self._topics:
            intent = Intent(uuid.uuid4().hex, tuple(sorted(self._topics)), effect)
            with self._times.of(Stage.LEDGER):
                self.journal.intend(intent)
            with self._times.of(Stage.COMMIT):
                self._transactions.commit(intent.mark, intent.topics)
        with self._times.of(Stage.LEDGER):
            self.journal.settle(effect)
        self._allowance.keep()
        self._slices.note(effect.files, time.monotonic() - begun, self._bytes)
