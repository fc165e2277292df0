"""A filter that only processes that have nothing in LACKING can import: a driver's image may have what the executors' has not."""

from __future__ import annotations

import importlib
import os

import pandas as pd

if os.environ.get("LACKING"):
    importlib.import_module(os.environ["LACKING"])


def here_alone(candid: pd.Series) -> pd.Series:
    return candid > 0
