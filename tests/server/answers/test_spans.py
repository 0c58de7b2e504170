from __future__ import annotations

from cmdb_server.answers.spans import SpanTold, length, spans_told


def test_their_length_is_known_while_all_end() -> None:
    assert length(()) == 0
    assert length(((0, 5), (7, 9))) == 7
    assert length(((0, 5), (7, None))) is None
    assert spans_told(((0, 5), (7, None))) == (SpanTold(0, 5), SpanTold(7, None))
