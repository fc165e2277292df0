"""Doing several things at once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

from testbed import commands


def together(*tasks: Callable[[], object]) -> None:
    """Run the tasks in threads until all are done; the first that fails, or a Ctrl-C, ends the others too."""
    with ThreadPoolExecutor(len(tasks)) as pool:
        futures = [pool.submit(task) for task in tasks]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
            failures = [e for f in futures if f.done() and (e := f.exception()) is not None]
        except BaseException:
            commands.abandon()
            raise
        if failures:
            commands.abandon()
            raise failures[0]
