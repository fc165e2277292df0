"""When a Lease may be taken."""

from __future__ import annotations

from typing import Any

import pytest

from fink_distribution.cluster.lease import is_free, own_identity

HELD = {"holderIdentity": "other", "leaseDurationSeconds": 30, "renewTime": "2001-01-01T00:00:00.000000Z"}


@pytest.mark.parametrize(
    ("spec", "unchanged_seconds", "free"),
    [
        (HELD, 0, False),
        (HELD, 30, False),
        (HELD, 30.1, True),
        ({**HELD, "leaseDurationSeconds": 60}, 59, False),
        ({**HELD, "renewTime": "2099-01-01T00:00:00.000000Z"}, 30.1, True),
        ({**HELD, "holderIdentity": ""}, 0, True),
        ({**HELD, "holderIdentity": "us"}, 0, True),
        ({"holderIdentity": "other"}, 14, False),
        ({"holderIdentity": "other"}, 16, True),
        ({}, 14, False),
        ({}, 16, True),
    ],
    ids=[
        "held",
        "to-the-last-second",
        "run-out",
        "the-holders-own-duration-counts",
        "its-time-is-in-the-future",
        "released",
        "our-own-from-before-a-restart",
        "without-a-duration-ours-counts",
        "without-a-duration-run-out",
        "deleted-while-somebody-may-still-write",
        "deleted-long-ago",
    ],
)
def test_when_a_lease_is_free(spec: dict[str, Any], unchanged_seconds: float, free: bool) -> None:
    assert is_free(spec, "us", unchanged_seconds, 15) is free


def test_two_processes_of_one_host_have_two_names() -> None:
    assert own_identity("pod-1") == "pod-1"
    assert own_identity("") != own_identity("")
