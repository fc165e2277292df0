"""`python examples/demo`."""

from __future__ import annotations

import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
# Python puts this folder itself on the path; our modules are to be found as demo.*, and the testbed beside them.
sys.path[0:1] = [str(REPOSITORY / "examples"), str(REPOSITORY / "tests")]

from demo.cli import main  # noqa: E402  the path comes first

if __name__ == "__main__":
    main()
