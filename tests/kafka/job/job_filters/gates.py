"""Filters that wait, raise or end as a file in the folder GATE says, so that a test decides when."""

from __future__ import annotations

import itertools
import os
import time
from collections import deque
from pathlib import Path

import pandas as pd


def gate() -> Path:
    return Path(os.environ["GATE"])


def waits(objectId: pd.Series) -> pd.Series:  # noqa: N803  a column's name
    """Say that it runs, then wait for the file `open`; only for alerts of which one is named in `hold`."""
    held = gate() / "hold"
    if held.exists() and held.read_text().strip() in set(objectId):
        (gate() / "entered").touch()
        deadline = time.monotonic() + 120
        while not (gate() / "open").exists() and time.monotonic() < deadline:
            time.sleep(0.02)  # in the job's worker; the test itself polls for `entered`
    return pd.Series([True] * len(objectId))


def raises_until_mended(candid: pd.Series) -> pd.Series:
    if not (gate() / "mended").exists():
        raise ValueError("the model's file is missing")
    return candid > 0


def has_remark(remark: pd.Series) -> pd.Series:
    """Look at text, whatever bytes it has."""
    return remark.str.len() > 0


def is_stuck_until_mended(candid: pd.Series) -> pd.Series:
    """Hang in a loop in C, where nothing of Python's is heard."""
    if not (gate() / "mended").exists():
        deque(itertools.repeat(None), maxlen=0)
    return candid > 0


def dies(candid: pd.Series) -> pd.Series:
    """End the worker itself, which no `except` sees."""
    os._exit(7)
