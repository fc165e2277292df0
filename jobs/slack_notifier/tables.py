"""Tables in ASCII, as Spark's `show` draws them, in fences that Slack shows in a fixed width."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from slack_notifier.markup import FENCE, escaped, one_line

LONGEST = 4000  # characters of a message; Slack advises no more, and cuts at 40,000
LONGEST_CELL = 500


def tables(columns: Sequence[str], rows: Iterable[Sequence[Any]], longest: int = LONGEST) -> list[str]:
    """The rows as fenced tables, in as few messages of at most `longest` characters as hold them all.

    All have the same widths. A row that is longer than a message still is one, and left to Slack.
    """
    cells = [[_cell(value) for value in row] for row in rows]
    heading = [_cell(name) for name in columns]
    widths = [max(map(len, column)) for column in zip(heading, *cells, strict=True)]
    rule = "+" + "+".join("-" * width for width in widths) + "+"
    top, lines = [rule, _line(heading, widths), rule], [_line(row, widths) for row in cells]
    room = longest - len(_fenced([*top, rule]))
    return [_fenced([*top, *part, rule]) for part in _parts(lines, room)]


def halved(table: str) -> list[str]:
    """The table as two with half of its rows each; nothing for one that has a single row."""
    lines = table.split("\n")
    top, rows, bottom = lines[:4], lines[4:-2], lines[-2:]
    half = len(rows) // 2
    return ["\n".join([*top, *part, *bottom]) for part in (rows[:half], rows[half:])] if half else []


def _parts(lines: Sequence[str], room: int) -> Iterable[list[str]]:
    part: list[str] = []
    left = room
    for line in lines:
        if part and len(line) + 1 > left:
            yield part
            part, left = [], room
        part.append(line)
        left -= len(line) + 1
    if part:
        yield part


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return escaped("|" + "|".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + "|")


def _cell(value: Any) -> str:
    text = "null" if value is None else str(value)
    return one_line(text.replace(FENCE, "'''"), LONGEST_CELL)


def _fenced(lines: Sequence[str]) -> str:
    return "\n".join([FENCE, *lines, FENCE])
