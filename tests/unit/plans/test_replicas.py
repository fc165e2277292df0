"""Where replicas go."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fink_distribution.plans.replicas import Move, Replicas, assign


@pytest.mark.parametrize(
    ("current", "brokers", "target", "changed"),
    [
        ([(1,)], (1, 2, 3), 1, {}),
        ([(1,)], (1, 2, 3), 3, {0: (1, 2, 3)}),
        ([(1,), (2,), (3,)], (1, 2, 3), 2, {0: (1, 2), 1: (2, 3), 2: (3, 1)}),
        ([(2, 3, 1)], (1, 2, 3), 1, {0: (2,)}),
        ([(1, 2), (2, 1)], (1, 2), 2, {}),
        # Only the partition that differs is touched.
        ([(1, 2), (2,)], (1, 2), 2, {1: (2, 1)}),
        # What is on a broker that is down goes first, even if it is the preferred leader.
        ([(9, 1)], (1, 2), 1, {0: (1,)}),
        # New replicas go where there are fewest.
        ([(1, 2), (1, 2), (3,)], (1, 2, 3, 4), 2, {2: (3, 4)}),
    ],
)
def test_assignment(current: list[Replicas], brokers: Replicas, target: int, changed: dict[int, Replicas]) -> None:
    assert assign(current, brokers, target) == changed


brokers_and_topics = st.integers(1, 6).flatmap(
    lambda count: st.tuples(
        st.just(tuple(range(1, count + 1))),
        st.integers(1, count),
        st.lists(
            st.lists(st.integers(1, count), min_size=1, max_size=count, unique=True).map(tuple), min_size=1, max_size=12
        ),
    )
)


@given(brokers_and_topics)
def test_every_partition_gets_what_is_declared_and_as_little_as_possible_moves(
    case: tuple[Replicas, int, list[Replicas]],
) -> None:
    brokers, target, current = case
    changed = assign(current, brokers, target)
    assert changed == assign(list(current), tuple(reversed(brokers)), target), "the same question, the same answer"
    after = [changed.get(number, replicas) for number, replicas in enumerate(current)]
    for now, then in zip(current, after, strict=True):
        assert len(set(then)) == len(then) == target
        assert then[0] == now[0], "the preferred leader stays"
        assert set(then) <= set(now) or set(now) <= set(then)


def test_the_replicas_of_a_topic_spread_over_the_brokers() -> None:
    changed = assign([(1 + number % 3,) for number in range(9)], (1, 2, 3), 2)
    assert Counter(broker for replicas in changed.values() for broker in replicas) == {1: 6, 2: 6, 3: 6}
    assert len(set(changed.values())) == 3


def test_a_move_knows_where_it_comes_from_and_goes_to() -> None:
    move = Move((1, 2, 3), adding=(3,), removing=(1,))
    assert (move.before, move.after) == ((1, 2), (2, 3))
