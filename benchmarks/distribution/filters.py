"""Filters that let a twentieth of the alerts through each, none of which Spark can merge with another."""

from __future__ import annotations

SHARE = 20


def sql(number: int) -> list[str]:
    """So many conditions on columns that every alert has."""
    return [
        f"pmod(hash(candid, candidate.magpsf, {one}), {SHARE}) = 0 AND candidate.drb IS NOT NULL"
        for one in range(number)
    ]
