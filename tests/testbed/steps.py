"""What the testbed says while it works: one line a step, and a sign of life from those that take long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

FIRST_SIGN_OF_LIFE = 2.0
SIGN_OF_LIFE = 15.0

console = Console(stderr=True, highlight=False)


class Steps:
    """Prints steps, which may run at the same time in several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._progress: Progress | None = None
        self._running = 0

    @contextmanager
    def step(self, what: str, hint: str = "") -> Iterator[None]:
        """Say what is done and, at its end, how long it took. `hint` says what to expect of a long one."""
        started = time.monotonic()
        over = threading.Event()
        ending = self._spin(what, hint) if console.is_terminal else self._murmur(what, hint, over)
        try:
            yield
        except BaseException:
            over.set()
            ending()
            self._say("failed", "red", what, time.monotonic() - started)
            raise
        over.set()
        ending()
        self._say("ok", "green", what, time.monotonic() - started)

    def note(self, text: str) -> None:
        """Print a line that is no step."""
        console.print(Text(f"        {text}"), soft_wrap=True)

    def _say(self, word: str, style: str, what: str, seconds: float) -> None:
        line = Text.assemble((f"{word:>6}", style), f"  {what} ", (f"{seconds:.1f} s", "dim"))
        console.print(line, soft_wrap=True)

    def _spin(self, what: str, hint: str) -> Callable[[], None]:
        with self._lock:
            if self._progress is None:
                columns = (SpinnerColumn(), TextColumn("  {task.description}"), TimeElapsedColumn())
                self._progress = Progress(*columns, console=console, transient=True)
                self._progress.start()
            progress = self._progress
            task = progress.add_task(f"{what} ({hint})" if hint else what, total=None)
            self._running += 1

        def ending() -> None:
            with self._lock:
                progress.remove_task(task)
                self._running -= 1
                if self._running == 0:
                    progress.stop()
                    self._progress = None

        return ending

    def _murmur(self, what: str, hint: str, over: threading.Event) -> Callable[[], None]:
        """Without a terminal: a line after two seconds, then now and then."""

        def talk() -> None:
            started = time.monotonic()
            pause = FIRST_SIGN_OF_LIFE
            while not over.wait(pause):
                seconds = time.monotonic() - started
                more = f" ({hint})" if hint and pause == FIRST_SIGN_OF_LIFE else ""
                console.print(Text(f"   ...  {what}{more} {seconds:.0f} s so far"), soft_wrap=True)
                pause = SIGN_OF_LIFE

        thread = threading.Thread(target=talk, daemon=True)
        thread.start()
        return thread.join


_steps = Steps()
step = _steps.step
note = _steps.note
