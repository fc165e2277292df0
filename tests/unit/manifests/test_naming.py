"""Names for Kubernetes: legal, unique, and the same each time."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fink_distribution.manifests.naming import kubernetes_names

LEGAL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
kafka_names = st.text(alphabet="abzAZ019._-é ", min_size=1, max_size=249)


@given(st.sets(kafka_names, max_size=20))
def test_names_are_legal_unique_and_stable(names: set[str]) -> None:
    found = kubernetes_names(names)
    assert found.keys() == names
    assert len(set(found.values())) == len(names)
    assert all(LEGAL.fullmatch(name) and len(name) <= 253 for name in found.values())
    assert kubernetes_names(sorted(names, reverse=True)) == found


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["ztf.alerts"], ["ztf.alerts"]),
        (["fink_all_ztf"], ["fink-all-ztf"]),
        (["_a..b-._"], ["a.b"]),
        (["___"], ["x"]),
        (["a-b", "a_b"], ["a-b", "a-b-648fa9b3"]),
        (["A", "a"], ["a-559aead0", "a"]),
    ],
)
def test_names(names: list[str], wanted: list[str]) -> None:
    found = kubernetes_names(names)
    assert [found[name] for name in names] == wanted
