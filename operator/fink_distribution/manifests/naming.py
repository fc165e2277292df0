"""Names for Kubernetes from names in Kafka."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(f"{_LABEL}([.]{_LABEL})*")
_LONGEST = 253
_HASH_LETTERS = 8


def kubernetes_names(names: Iterable[str]) -> dict[str, str]:
    """Return a metadata.name for each name in Kafka: unique, and the same whatever the order (RFC 1123).

    A name that is good for Kubernetes stays. Of others what is not allowed becomes "-"; where that makes two alike, they get a piece of
    their hash.
    """
    wanted = sorted(set(names))
    found = {name: name for name in wanted if len(name) <= _LONGEST and _SUBDOMAIN.fullmatch(name)}
    others = {name: slug(name, _LONGEST) for name in wanted if name not in found}
    often = Counter([*found.values(), *others.values()])
    for name, short in others.items():
        found[name] = short if often[short] == 1 else hashed(name, _LONGEST)
    return found


def slug(name: str, longest: int, *, dots: bool = True) -> str:
    """Return a name with what Kubernetes does not allow as "-"; two names may become one."""
    words = re.sub("[^a-z0-9.]+" if dots else "[^a-z0-9]+", "-", name.lower()).split(".")
    return ".".join(word.strip("-") for word in words if word.strip("-"))[:longest].strip("-.") or "x"


def hashed(name: str, longest: int, *, dots: bool = True) -> str:
    """Return a name as `slug` does, with a piece of its hash, which tells it from others."""
    piece = hashlib.sha256(name.encode()).hexdigest()[:_HASH_LETTERS]
    return f"{slug(name, longest - _HASH_LETTERS - 1, dots=dots)}-{piece}"
