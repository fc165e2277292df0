"""How long to wait before the next attempt."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Backoff:
    """Doubling pauses, in seconds, from `first` to `longest`; `reset` after a success.

    Without jitter: there is one driver per stream, and it waits for things that many clients do not share.
    """

    first: float = 1.0
    longest: float = 60.0
    failures: int = 0

    def next(self) -> float:
        """The pause after one more failure."""
        # Bounded, so that a failure that lasts for months cannot overflow the power.
        pause = min(self.longest, self.first * 2.0 ** min(self.failures, 32))
        self.failures += 1
        return pause

    def reset(self) -> None:
        """The next failure counts as the first."""
        self.failures = 0
