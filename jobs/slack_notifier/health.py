"""Whether the notifier is let in by Kafka and by Slack, and whether it still does its rounds. Time is passed in, in seconds."""

from __future__ import annotations

import time
from collections.abc import Callable

from slack_notifier.replies import NO_ANSWER, Outcome, Reply, said

# A round ends with 20 messages, each after a look at long lists of names perhaps, none of which may take longer than 30 seconds.
LONGEST_ROUND = 900.0
_NOT_ASKED = "Slack has not been asked yet whether it knows the token."


class Health:
    """One thread notes, others look."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._beat = clock()
        self._kafka: str | None = "Kafka has not given the notifier its topics yet."
        self._slack: str | None = _NOT_ASKED

    def beat(self) -> None:
        """A round begins."""
        self._beat = self._clock()

    def kafka(self, problem: str | None) -> None:
        """Whether topics are read, and if not, why."""
        self._kafka = problem

    def slack(self, reply: Reply) -> None:
        """Slack has answered, or not: only a refused token is a reason not to be ready, since the rest is waited for."""
        if reply.outcome is Outcome.LOGIN:
            self._slack = f"Slack refuses the app: {said(reply.error)}"
        elif reply.outcome not in NO_ANSWER or self._slack == _NOT_ASKED:
            self._slack = None

    @property
    def problems(self) -> list[str]:
        """Why the notifier is not ready; nothing if it is."""
        return [problem for problem in (self._kafka, self._slack) if problem is not None]

    @property
    def is_alive(self) -> bool:
        """Whether the last round began lately."""
        return self._clock() - self._beat < LONGEST_ROUND
