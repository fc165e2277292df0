"""How fast messages may go to one channel."""

from __future__ import annotations

from dataclasses import dataclass, field

SLACK_RATE = 1.0  # messages a second that Slack allows a channel


@dataclass
class TokenBucket:
    """Holds up to `burst` tokens, and gets `rate` new ones a second; a message takes one. Time is passed in, in seconds."""

    rate: float = SLACK_RATE
    burst: float = 1.0
    _level: float = field(init=False)
    _at: float = field(init=False, default=float("-inf"))

    def __post_init__(self) -> None:
        self._level = self.burst

    def ready_at(self, now: float) -> float:
        """When there is a token: `now`, or a later time."""
        self._fill(now)
        return now if self._level >= 1 else now + (1 - self._level) / self.rate

    def take(self, now: float) -> None:
        """Take a token, also one that is not there yet."""
        self._fill(now)
        self._level -= 1

    def _fill(self, now: float) -> None:
        if now > self._at:
            self._level = min(self.burst, self._level + (now - self._at) * self.rate)
            self._at = now
