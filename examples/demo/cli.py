"""What a person types."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType

import click

from demo.cluster import ClusterError
from demo.settings import MissingSettings, Settings
from demo.steps import Steps


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option(
    "--context",
    envvar="CONTEXT",
    help="An existing cluster, as kubectl knows it, in place of the testbed; then KAFKA_BOOTSTRAP, KAFKA_ADMIN_CONFIG, "
    "OPERATOR_IMAGE and JOB_IMAGE say what to use with it.",
)
@click.option(
    "--data",
    envvar="DATA",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of Parquet files to distribute, in place of made-up alerts.",
)
@click.option("--rows", default=900, show_default=True, type=click.IntRange(3), help="How many alerts to make up.")
@click.option("--seed", default=1, show_default=True, help="The same seed makes up the same alerts.")
@click.option("--keep", is_flag=True, envvar="KEEP", help="Leave everything running, and say how to look around.")
@click.option("--end", is_flag=True, help="Only end what an earlier demo has left.")
def main(context: str | None, data: Path | None, rows: int, seed: int, keep: bool, end: bool) -> None:
    """Distribute alerts to a community, from an empty cluster to decoded messages, and take everything down again.

    Without options on the testbed, which it starts unless it runs: a real Kafka and a real Kubernetes on this machine.

    \b
    Environment, each also an option:
      CONTEXT=name    an existing cluster
      DATA=folder     your own alerts
      KEEP=1          leave everything running
    Exit status: 0 all is as it should be, 1 something is not (the message says what), 130 interrupted.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    steps = Steps()
    # Here, so that --help does not wait for them.
    from demo import story

    try:
        if context is None:
            from demo import on_testbed

            with on_testbed.settings(steps, keep=keep) as settings:
                code = story.end(settings, steps) if end else story.run(settings, steps, data, rows, seed, keep=keep)
        else:
            settings = Settings.of_context(context, os.environ)
            code = story.end(settings, steps) if end else story.run(settings, steps, data, rows, seed, keep=keep)
    except MissingSettings as error:
        steps.fail(str(error))
        sys.exit(2)
    except ClusterError as error:
        steps.fail(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        steps.fail("Interrupted.")
        sys.exit(130)
    sys.exit(code)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
