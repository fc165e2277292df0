"""Who lost the Lease ends, whatever still runs in the process."""

from __future__ import annotations

import subprocess
import sys

_STUCK = """
import logging, threading
from fink_distribution.handlers.run import LEASE_LOST, leave_within
logging.basicConfig()
threading.Thread(target=threading.Event().wait).start()
leave_within(0.1, LEASE_LOST)
"""


def test_a_process_with_a_task_that_does_not_end_ends_with_its_status_and_says_so() -> None:
    ended = subprocess.run([sys.executable, "-c", _STUCK], check=False, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 3
    assert "not ended within 0.1 s" in ended.stderr
