"""Times go round between RFC 3339 and milliseconds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cmdb_server.model.instants import moment, of_moment, parse, rfc3339

LAST = 253_000_000_000_000


@given(st.integers(-62_000_000_000_000, LAST))
def test_round(ms: int) -> None:
    assert parse(rfc3339(ms)) == ms == of_moment(moment(ms))


def test_offsets_are_taken_off() -> None:
    assert parse("2026-03-01T01:00:00+01:00") == parse("2026-03-01T00:00:00Z")
    assert moment(parse("2026-03-01T00:00:00.25Z")) == datetime(2026, 3, 1, microsecond=250_000, tzinfo=UTC)


@pytest.mark.parametrize("text", ["2026-03-01", "2026-02-30T00:00:00Z", "", None, 5, "0001-01-01T00:00:00+01:00"])
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="time"):
        parse(text)
