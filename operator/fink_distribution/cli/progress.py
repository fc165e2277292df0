"""What a command is doing, on stderr, once it takes long enough to wonder."""

from __future__ import annotations

import threading
from types import TracebackType

from rich.console import Console
from rich.status import Status

_SILENT_SECONDS = 2.0


class Progress:
    """Says the present step when the command has run for two seconds; on a terminal with a spinner that goes again.

    Use it as a context manager; `say` sets the step.
    """

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._step = "starting"
        self._lock = threading.Lock()
        self._is_shown = False
        self._status: Status | None = None
        # A thread: reading a large file is not interrupted by an event loop.
        self._timer = threading.Timer(_SILENT_SECONDS, self._show)
        self._timer.daemon = True

    def say(self, step: str) -> None:
        """Set what is being done now."""
        with self._lock:
            self._step = step
            if self._is_shown:
                self._print()

    def _show(self) -> None:
        with self._lock:
            self._is_shown = True
            if self._console.is_terminal:
                self._status = self._console.status(self._step)
                self._status.start()
            else:
                self._print()

    def _print(self) -> None:
        if self._status is not None:
            self._status.update(self._step)
        else:
            self._console.print(f"{self._step} ...", markup=False)

    def __enter__(self) -> Progress:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            if self._status is not None:
                self._status.stop()
