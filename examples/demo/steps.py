"""What the demo prints: each step, what happens in it, how long it took, and how to see it for oneself."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

INDENT = 4
WIDTH = 150


class Steps:
    """Numbered steps on standard output."""

    def __init__(self, console: Console | None = None) -> None:
        # Without a terminal rich assumes 80 columns, in which a table of topics breaks.
        self._console = console or Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
        self._number = 0
        self._began = time.monotonic()

    @contextmanager
    def step(self, what: str, look: str = "") -> Iterator[None]:
        """Announce a step, and at its end say how long it took; `look` is the command that shows its result."""
        self._number += 1
        self._print(Text(f"\n{self._number}. {what}", style="bold"))
        began = time.monotonic()
        try:
            yield
        except BaseException as error:
            how = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
            self._line(f"{how} after {time.monotonic() - began:.1f} s", "red")
            raise
        line = Text(" " * INDENT)
        line.append("done ", style="green").append(f"{time.monotonic() - began:.1f} s", style="dim")
        if look:
            line.append("   see: ", style="dim").append(look, style="cyan")
        self._print(line)

    def say(self, text: str, style: str = "") -> None:
        """A line within a step."""
        self._line(text, style)

    def show(self, thing: RenderableType) -> None:
        """A table within a step."""
        self._console.print(Padding(thing, (0, 0, 0, INDENT)))

    def fail(self, text: str) -> None:
        """What went wrong."""
        self._print(Text(text, style="red"))

    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    def _line(self, text: str, style: str) -> None:
        self._print(Text(" " * INDENT + text, style=style))

    def _print(self, text: Text) -> None:
        self._console.print(text, soft_wrap=True)
