"""A verification from start to end."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path

from pyspark.sql import SparkSession

from distribution_job import listing, session, sources
from distribution_job.alert_files import AlertFile
from distribution_job.alert_reader import AlertReader
from distribution_job.config import JobConfig
from distribution_job.failures import FileError
from distribution_job.outputs import Output
from distribution_job.verification import checkpoint
from distribution_job.verification.checkpoint import Checkpoint
from distribution_job.verification.ranges import Ranges
from distribution_job.verification.recount import Recount
from distribution_job.verification.refiltering import Refiltering
from distribution_job.verification.report import Report, judged
from distribution_job.verification.scope import Scope, Window, scope, window

_CORES = 2
_CONF = {
    "spark.master": f"local[{_CORES}]",
    # Unlike a pass, this has shuffles.
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.shuffle.partitions": "16",
}
_SHOWN = 5  # files in a note

Say = Callable[[str], None]


def verify(config: JobConfig, since: int, outputs: Sequence[Output], limit: int, say: Say) -> Report:
    """Recount what was delivered since a time.

    Parameters
    ----------
    since
        Milliseconds since 1970, by the driver's clock.
    outputs
        Those to look at: all of each of their topics.
    limit
        The most differences of a kind that are listed of a topic.
    say
        Is told what is done.

    Raises
    ------
    BatchError
        A topic cannot be read.
    """
    say("reading the checkpoint")
    state = checkpoint.read(config)
    chosen = window(state.deliveries, since)
    topics = sorted({output.topic for output in outputs})
    asked = Ranges(config.kafka)
    say(f"asking Kafka about {len(topics)} topics")
    asked.check(topics)
    ranges = {topic: asked.since(topic, chosen.after) for topic in topics}
    say("starting Spark")
    spark = session.start(f"{config.name}-verify", {**_spark_conf(config), **_CONF})
    with tempfile.TemporaryDirectory(prefix="fink-verify-") as folder:
        try:
            expecting = _Expecting(config, spark, Path(folder), outputs, say)
            plan, problems = expecting.write(state, chosen, since)
            recount = Recount(spark, Path(folder))
            say(f"reading {sum(each.end - each.start for some in ranges.values() for each in some)} messages")
            read = recount.read(config.kafka, ranges)
            say(f"comparing them ({read} alerts)")
            found = recount.compare(outputs, (chosen.after, chosen.until), ranges, plan.origins, plan.numbered, limit)
        finally:
            spark.stop()
    return Report(
        namespace=config.namespace,
        name=config.name,
        guarantee=config.delivery.guarantee,
        since=since,
        until=chosen.until,
        deliveries=len(chosen.deliveries),
        files=len({file.path for each in chosen.deliveries for file in each.files}),
        topics=[judged(count, plan.dropped.get(count.topic, 0)) for count in found],
        notes=[*plan.notes, *expecting.notes, *_waiting(state)],
        problems=[*_unknown(state, chosen), *problems],
    )


class _Expecting:
    """Filters the files again, as long as they can be read."""

    def __init__(
        self, config: JobConfig, spark: SparkSession, folder: Path, outputs: Sequence[Output], say: Say
    ) -> None:
        self._outputs = outputs
        self._say = say
        watched = sources.watched(config)
        reader = AlertReader(spark, watched.folder)
        self._refiltering = Refiltering(reader, folder, config.source.id_column)
        self._find = partial(listing.find, spark)
        self._now: dict[str, AlertFile | None] = {}
        self.notes: list[str] = []

    def write(self, state: Checkpoint, chosen: Window, since: int) -> tuple[Scope, list[str]]:
        """Filter the files of the window's deliveries, and those that no delivery had; returns what was done, and what could not be."""
        unreadable: set[str] = set()
        problems = []
        found = state.lost(since)
        lost = [each if each.is_part else now for each in found if (now := self._present(each.path)) is not None]
        if gone := [each.path for each in found if self._present(each.path) is None]:
            problems.append(f"Files were found and given to no output, and are gone: {_some(gone)}.")
        while True:
            plan = scope(chosen.deliveries, self._outputs, lambda file: self._is_there(file.path, unreadable), lost)
            count = len({file.path for files in plan.files.values() for file in files})
            self._say(f"filtering {count} files again")
            try:
                judging = [problem for names, files in plan.files.items() for problem in self._filter(names, files)]
            except FileError as error:
                # One that vanishes while it is read, as staged ones do, or is damaged.
                unreadable.add(error.path)
                if any(file.path == error.path for file in lost):
                    problems.append(f"A file was found and given to no output: {error}")
                    lost = [file for file in lost if file.path != error.path]
                self._refiltering.begin_anew()
                continue
            self._note_changes(plan)
            return plan, [*problems, *dict.fromkeys(judging)]

    def _filter(self, names: Sequence[str], files: Sequence[AlertFile]) -> list[str]:
        return self._refiltering.write(files, [output for output in self._outputs if output.name in names])

    def _is_there(self, path: str, unreadable: Collection[str]) -> bool:
        return path not in unreadable and self._present(path) is not None

    def _present(self, path: str) -> AlertFile | None:
        if path not in self._now:
            self._now[path] = self._find(path)
        return self._now[path]

    def _note_changes(self, plan: Scope) -> None:
        known = {file.whole for files in plan.files.values() for file in files}
        changed = sorted(file.path for file in known if self._present(file.path) != file)
        if changed:
            self.notes.append(
                f"Files were changed after they had been distributed, which is not noticed by the stream: {_some(changed)}. Write new alerts into "
                "new files."
            )


def _spark_conf(config: JobConfig) -> dict[str, str]:
    """Without what says where executors run."""
    return {
        key: value
        for key, value in config.spark_conf.items()
        if not key.startswith(("spark.kubernetes.", "spark.executor."))
    }


def _unknown(state: Checkpoint, chosen: Window) -> list[str]:
    if not state.deliveries and state.found:
        text = "The checkpoint has no record of what was delivered when, since an older version has delivered it. What comes from now on can be verified."
        return [text]
    if not chosen.is_whole:
        return ["The record of deliveries begins later than that. Give a later time."]
    return []


def _waiting(state: Checkpoint) -> list[str]:
    return [
        f"{count} files wait for the output {name}, and are not counted; its own error says why they do."
        for name, count in state.waiting.items()
    ]


def _some(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more
