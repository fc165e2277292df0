"""How late alerts arrive when files come at a pace, and what that does to memory.

    make bench-pace CASE=latency    a file of 20 alerts each second for a minute: from the file to the message read
    make bench-pace CASE=rubin      10,000 alerts every 34 s for 10 minutes to 100 outputs, as Rubin will send them: are they kept up with
    make bench-pace CASE=batches    1,000 batches one after the other: does memory grow

It uses the testbed's Kafka (LEVEL=kafka), the job as a process of its own with `local[2]`, and a reader of all topics beside it, which
take their share of the same processors.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import plotext
from job_process import JobProcess
from rich.console import Console
from rich.table import Table

from distribution import filters, process_tree
from distribution.arrivals import Arrivals
from distribution.stage import ALERTS_A_FILE, PACKAGES, Stage, drop, make_alerts, read
from testbed import usage
from testbed.environment import properties
from testbed.fixtures import wait_for

WARM = 5  # times that are not counted: Spark compiles, workers import
_LOOKS = 2.0  # seconds between two


@dataclass(frozen=True)
class Case:
    """Alerts are written `times` times, `alerts` at a time, every so many seconds.

    Without `every` they are all written at once, and make so many batches, of one file each.
    """

    alerts: int
    every: float | None
    times: int
    filters: int


CASES = {"latency": Case(20, 1.0, 60, 5), "rubin": Case(10_000, 34.0, 23, 100), "batches": Case(20, None, 1000, 5)}


@dataclass(frozen=True)
class Look:
    """What was so at a moment: alerts written and not read yet, the job's memory (PSS) in MiB."""

    seconds: float
    behind: int
    mib: float


class Looks:
    """What was seen of a job since the first moment."""

    def __init__(self, job: JobProcess) -> None:
        self.all: list[Look] = []
        self.written = 0
        self._job = job
        self._begun = time.monotonic()

    def look(self) -> None:
        """Look once more."""
        behind = self.written - self._job.progress().get("rowsRead", 0)
        self.all.append(Look(time.monotonic() - self._begun, behind, process_tree.memory_mib(self._job.pid)))


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--case", type=click.Choice(list(CASES)), required=True)
@click.option("--delivery", type=click.Choice(["ExactlyOnce", "AtLeastOnce"]), default="ExactlyOnce", show_default=True)
@click.option(
    "--times",
    type=click.IntRange(min=WARM + 1),
    help="How often alerts are written, or how many batches they make, in place of the case's own number.",
)
@click.option("--cutouts/--no-cutouts", default=True, show_default=True)
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write the table's row and the looks as JSON to this file."
)
def main(case: str, delivery: str, times: int | None, cutouts: bool, out: Path | None) -> None:
    """Run the case, and print a row and a plot."""
    chosen = Case(**{**asdict(CASES[case]), **({"times": times} if times else {})})
    use = usage.use("kafka")
    try:
        with tempfile.TemporaryDirectory() as folder:
            login = dict(properties(use.environment.kafka_admin_config))
            row, looks = _run(Path(folder), login, chosen, delivery, cutouts)
    finally:
        use.release()
    row = {"case": case, "delivery": delivery, "cutouts": cutouts, **asdict(chosen), **row}
    table = Table(*row, box=None, pad_edge=False)
    table.add_row(*(str(round(value, 2)) if isinstance(value, float) else str(value) for value in row.values()))
    Console(width=200).print(table)
    _plot("alerts written and not read yet", looks, [look.behind for look in looks])
    _plot("memory of the job, MiB", looks, [look.mib for look in looks])
    if out is not None:
        out.write_text(json.dumps({"row": row, "looks": [asdict(look) for look in looks]}, indent=2) + "\n")


def _run(
    folder: Path, login: dict[str, str], case: Case, delivery: str, cutouts: bool
) -> tuple[dict[str, Any], list[Look]]:
    stage = Stage(folder, login)
    alerts = make_alerts(folder / "alerts", case.alerts, 0, cutouts, min(ALERTS_A_FILE, case.alerts))
    with stage.job(filters.named(str(case.filters)), delivery) as (job, topics), Arrivals(login, topics) as arrivals:
        times = case.times
        if case.every is None:
            job.document["source"]["maxFilesPerBatch"] = 1
            times = max(WARM + 1, times // len(list(alerts.rglob("*.parquet"))))
        job.start(packages=PACKAGES)
        for number in range(WARM):
            _write(job, alerts, number, arrivals)
            read(job, (number + 1) * case.alerts, timeout=600)
        begun = time.monotonic()
        looks = Looks(job)
        with process_tree.repeated(_LOOKS, looks.look):
            for number in range(WARM, times):
                if case.every is not None:
                    time.sleep(max(0.0, begun + case.every * (number - WARM) - time.monotonic()))
                _write(job, alerts, number, arrivals)
                looks.written = (number + 1) * case.alerts
            read(job, looks.written, timeout=3600)
            seconds = time.monotonic() - begun
        published = sum(one["published"] for one in job.progress()["outputs"])
        wait_for(lambda: arrivals.count >= published, timeout=120, what=f"{published} messages are read")
        job.stop()
    late = arrivals.late(WARM)
    quarter = max(1, len(looks.all) // 4)
    return {
        "seconds": seconds,
        "messages": len(late),
        "p50_s": statistics.median(late),
        "p99_s": late[int(len(late) * 0.99)],
        "most_behind": max(look.behind for look in looks.all),
        "second_quarter_mib": statistics.median(look.mib for look in looks.all[quarter : 2 * quarter]),
        "last_quarter_mib": statistics.median(look.mib for look in looks.all[-quarter:]),
    }, looks.all


def _write(job: JobProcess, alerts: Path, number: int, arrivals: Arrivals) -> None:
    arrivals.begin()
    drop(job, alerts, f"drop-{number:05d}")


def _plot(title: str, looks: list[Look], values: Sequence[float]) -> None:
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plot_size(100, 16)
    plotext.plot([look.seconds for look in looks], values, marker="braille")
    plotext.ylim(0, max(*values, 1) * 1.1)
    plotext.title(title)
    plotext.xlabel("seconds")
    plotext.show()


if __name__ == "__main__":
    main()
