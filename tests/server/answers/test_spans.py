from __future__ import annotations

from cmdb_server.answers.spans import SpanTold, joined, length, spans_told


def test_their_length_is_known_while_all_end() -> None:
    assert length(()) == 0
    assert length(((0, 5), (7, 9))) == 7
    assert length(((0, 5), (7, None))) is None
    assert spans_told(((0, 5), (7, None))) == (SpanTold(0, 5), SpanTold(7, None))


def test_what_touches_is_one() -> None:
    assert joined([(7, None), (2, 5), (0, 2), (6, 7), (9, 10)]) == ((0, 5), (6, None))
    assert joined([(4, 5), (0, 2)]) == ((0, 2), (4, 5)) and joined([]) == ()
