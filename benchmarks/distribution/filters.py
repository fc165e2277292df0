"""The filters of the cases, as a stream's configuration has them."""

from __future__ import annotations

import pkgutil

SHARE = 20
LIVESTREAM = "livestream"

Filter = dict[str, str]


def named(case: str, share: int = SHARE) -> list[Filter]:
    """The filters of a case: so many of SQL that let one alert in `share` through, or all of fink-filters' for ZTF."""
    return livestream() if case == LIVESTREAM else [{"sql": condition} for condition in sql(int(case), share)]


def livestream() -> list[Filter]:
    """Every filter of `fink_filters.ztf.livestream`, by its dotted path.

    Those of hostless alerts by ours, see `hostless`.
    """
    from fink_filters.ztf import livestream as package

    found = []
    for module in sorted(info.name for info in pkgutil.iter_modules(package.__path__)):
        name = module.removeprefix("filter_")
        where = "distribution.hostless" if name.endswith("_hostless") else f"{package.__name__}.{module}.filter"
        found.append({"python": f"{where}.{name}"})
    return found


def sql(number: int, share: int) -> list[str]:
    """So many conditions on columns that every alert has, each of which lets one in `share` through; Spark can merge none with another."""
    return [
        f"pmod(hash(candid, candidate.magpsf, {one}), {share}) = 0 AND candidate.drb IS NOT NULL"
        for one in range(number)
    ]
