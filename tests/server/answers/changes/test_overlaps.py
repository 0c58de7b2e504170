"""What is active at once, piece by piece."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.answers.changes.overlaps import pieces
from cmdb_server.practices.booked import Booking, Span
from cmdb_server.practices.kept_rows import Kept

TIMES = st.tuples(st.integers(0, 20), st.integers(1, 10), st.booleans()).map(
    lambda told: (told[0], None if told[2] and told[1] == 1 else told[0] + told[1])
)
SPANS = st.lists(TIMES, min_size=1, max_size=3)


def booking(number: str, spans: list[Span]) -> Booking:
    thing = Kept(number, "change", "scheduled", 1, "ann", 0, 0, 1, {}, {})
    return Booking(number, (), tuple(spans), False, frozenset(), thing)


def within(moment: int, spans: list[Span]) -> bool:
    return any(start <= moment and (end is None or moment < end) for start, end in spans)


@given(SPANS, st.dictionaries(st.sampled_from("abcde"), SPANS))
def test_each_moment_of_mine_is_in_the_piece_of_what_is_active_then(
    mine: list[Span], others: dict[str, list[Span]]
) -> None:
    found = pieces(mine, [booking(name, spans) for name, spans in others.items()])
    for moment in range(40):
        active = frozenset(name for name, spans in others.items() if within(moment, spans))
        told = {names for names, spans in found.items() if within(moment, list(spans))}
        assert told == ({active} if active and within(moment, mine) else set())
