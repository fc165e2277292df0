"""The filters once more, over files that have been distributed: which ids each topic should have got."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import Column, Observation
from pyspark.sql import functions as F  # noqa: N812  pyspark's own convention

from distribution_job import conditions, filter_udf, pass_counts, plan, python_filters, read_errors, single_pass
from distribution_job.alert_files import AlertFile
from distribution_job.alert_reader import AlertReader
from distribution_job.conditions import match_name
from distribution_job.outputs import Output
from distribution_job.plan import Routed
from distribution_job.topics import Topic

FOLDER = "expected"
SCHEMA = "topic STRING, id STRING, path STRING"
_NONE = -1  # no output's position


class Refiltering:
    """Writes a row for each alert and output that wants it."""

    def __init__(self, reader: AlertReader, folder: Path, id_column: str | None) -> None:
        """`folder`: a temporary one, in which FOLDER is made."""
        self._reader = reader
        self._folder = folder / FOLDER
        self._id_column = id_column
        self._allowed = python_filters.allowed_packages()
        self._tables = 0

    def begin_anew(self) -> None:
        """Forget what was written."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def write(self, files: Sequence[AlertFile], outputs: Sequence[Output]) -> list[str]:
        """Filter the files for the outputs; the columns that filters do not need are not read. Returns what cannot be judged, in sentences.

        Raises FileError, and what Spark raises.
        """
        problems: list[str] = []
        for group, alerts in self._reader.tables(files):
            routed = [Routed(output, 0, Topic(output.topic, 1)) for output in outputs]
            identity = single_pass.identity_of(plan.identify(alerts.schema, self._id_column))
            found = conditions.find(alerts, routed, self._allowed)
            problems += [f"output {name}: {failure.message}" for name, failure in found.failures.items()]
            judged = [each for each in routed if each.output.name in found.matches]
            if not judged:
                continue
            filtering = Observation()
            matching = found.applied(alerts.select("*", F.col("_metadata.file_path").alias("__path")))
            rows_read = F.count(F.lit(1)).alias(
                "rows"
            )  # there may be no Python filter, and something has to be counted
            matching = matching.observe(
                filtering, rows_read, *pass_counts.error_counts(pass_counts.errors(judged, found))
            )
            positions = [
                F.when(F.col(match_name(number)), F.lit(number)).otherwise(F.lit(_NONE))
                for number in range(len(judged))
            ]
            # As in the pass: other ways to explode run the Python filters twice.
            wanted = F.explode_outer(F.array_remove(F.array(*positions), _NONE)).alias("position")
            topics = F.array(*(F.lit(each.output.topic) for each in judged))
            rows = matching.select(identity.alias("id"), _plain("__path").alias("path"), wanted)
            rows = rows.where(F.col("position").isNotNull())
            rows = rows.select(F.get(topics, F.col("position")).alias("topic"), "id", "path")
            try:
                rows.write.parquet(str(self._folder / str(self._tables)))
            except Exception as error:
                blamed = read_errors.unreadable(error, group)
                if blamed is not None:
                    raise blamed from error
                raise
            self._tables += 1
            for number, each in enumerate(judged):
                if (raised := filtering.get.get(f"error_{number}")) is not None:
                    problems.append(f"output {each.output.name}: {filter_udf.failure(raised).message}")
        return problems


def _plain(column: str) -> Column:
    """As `alert_files.plain` does."""
    return F.regexp_replace(column, r"^[a-zA-Z][\w+.-]*:(//[^/]*)?", "")
