"""What a Python worker of Spark does for each task whatever the task is, made cheap; with fink-filters' imports it was a third of its work.

Spark collects garbage after each task, and Python itself collects in between: each time all that the filters' packages consist of is looked
at, 200,000 objects and more. And it has Python forget where modules are, for which Python 3.11 reads the tables of contents of Spark's
archives again (https://github.com/python/cpython/issues/103200).
"""

from __future__ import annotations

import gc
import sys
from zipimport import zipimporter


def settle() -> None:
    """Take what has been imported for permanent. To be called whenever something was imported."""
    gc.collect()
    gc.freeze()
    # An import that does look for a module in an archive opens it anew.
    for place, finder in list(sys.path_importer_cache.items()):
        if isinstance(finder, zipimporter):
            del sys.path_importer_cache[place]
