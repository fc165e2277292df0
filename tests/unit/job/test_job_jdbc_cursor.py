"""Rows of a growing table, read by a cursor: none is missed, none is read twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from distribution_job.jdbc_cursor import Identity, Position

LATE = 3
cursors = st.integers(0, 12)


def read(position: Position, table: list[Identity], most: int) -> tuple[list[Identity], Position]:
    """One batch, as the source reads it."""
    low = position.low(LATE)
    found = sorted(row for row in table if low is None or row[0] >= low)[: most + len(position.seen)]
    new = [row for row in found if row not in position.seen][:most]
    return new, Position.from_json(position.after(new, LATE).to_json())


@given(st.lists(st.tuples(cursors, st.booleans()), max_size=40), st.integers(1, 4))
def test_each_row_is_read_once_when_it_comes_in_time(events: list[tuple[int, bool]], most: int) -> None:
    table: list[Identity] = []
    position, got = Position(), list[Identity]()
    for number, (cursor, is_read) in enumerate(events):
        # A row may come late, but not by more than what is promised.
        largest = position.cursor or 0
        table.append((max(cursor, largest - LATE), f"row-{number}"))
        if is_read:
            new, position = read(position, table, most)
            got += new
    while True:
        new, position = read(position, table, most)
        if not new:
            break
        got += new
    assert sorted(got) == sorted(table)


def test_what_is_remembered_does_not_grow() -> None:
    position = Position()
    for cursor in range(1000):
        position = position.after([(cursor, "a"), (cursor, "b")], LATE)
    assert {cursor for cursor, _ in position.seen} == set(range(996, 1000))


def test_a_floor_holds_until_the_cursor_has_passed_it() -> None:
    begun = Position(floor=100)
    assert begun.low(LATE) == 100
    assert begun.after([(101, "a")], LATE).low(LATE) == 100
    assert begun.after([(150, "a")], LATE).low(LATE) == 147
