"""What the job's image has: of the packages that are installed here, those of requirements/jobs.lock."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

LOCK = Path(__file__).parents[3] / "requirements" / "jobs.lock"
# fink-science's package on PyPI lacks a file that these read when they are imported.
LACKING = {"filter_inter_night_hostless", "filter_intra_night_hostless", "filter_new_hostless"}
IMPORTS = """
import importlib, json, pkgutil, re, sys, warnings
from importlib.machinery import PathFinder
from importlib.metadata import packages_distributions

warnings.simplefilter("ignore")
locked, bringing = set(json.loads(sys.argv[1])), packages_distributions()

class Locked(PathFinder):
    @staticmethod
    def find_spec(name, path=None, target=None):
        brought = {re.sub("[-_.]+", "-", one).lower() for one in bringing.get(name.partition(".")[0], ())}
        return None if brought and not brought & locked else PathFinder.find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Locked
from fink_filters.ztf import livestream

found = {}
for module in pkgutil.iter_modules(livestream.__path__):
    try:
        importlib.import_module(f"{livestream.__name__}.{module.name}.filter")
    except Exception as error:
        found[module.name] = str(error)
print(json.dumps(found))
"""


def test_the_image_has_what_fink_filters_for_ztf_import() -> None:
    locked = re.findall(r"^([A-Za-z0-9._-]+)==", LOCK.read_text(), re.MULTILINE)
    words = [sys.executable, "-c", IMPORTS, json.dumps(locked)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    failed = json.loads(done.stdout.splitlines()[-1])
    assert failed.keys() == LACKING, failed
    assert all("config_base.json" in error for error in failed.values()), failed
