from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from cmdb_server.api.fields import Flag, Instant, Text, rfc3339

FIRST, LAST = datetime(1, 1, 2), datetime(9999, 12, 30)  # noqa: DTZ001  hypothesis adds the zone


@given(st.datetimes(FIRST, LAST, timezones=st.just(UTC)))
def test_a_time_goes_round(moment: datetime) -> None:
    milliseconds = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // (datetime.resolution * 1000)
    assert Instant().deserialize(rfc3339(milliseconds)) == milliseconds
    assert Instant().deserialize(moment.isoformat()) == milliseconds


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t01:00:00.5+01:00", 500),
        ("1969-12-31T19:00:00.123999-05:00", 123),
        ("1972-06-30T23:59:60Z", 78_796_800_000),
    ],
)
def test_rfc3339_is_read(text: str, milliseconds: int) -> None:
    assert Instant().deserialize(text) == milliseconds


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-01", "2026-01-01T00:00:00", "20260101T000000Z", "2026-W01-1T00:00:00Z", "yesterday", "", 5, None,
        "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "0001-01-01T00:00:00+01:00", "2026-01-01T00:00:00+24:00",
        "٢٠٢٦-01-01T00:00:00Z",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(ValidationError):
        Instant().deserialize(text)


@pytest.mark.parametrize("value", [0, 1, "true", "", None])
def test_a_flag_is_true_or_false(value: object) -> None:
    assert Flag().deserialize(True) is True and Flag().deserialize(False) is False
    with pytest.raises(ValidationError):
        Flag().deserialize(value)


@pytest.mark.parametrize("text", ["", "x" * 5, "a\0", "\ud800"])
def test_texts_have_bounds(text: str) -> None:
    with pytest.raises(ValidationError):
        Text(longest=4).deserialize(text)


def test_quotes_are_data() -> None:
    for text in ("'; DROP", '"}) DETACH DELETE n //', "<script>", "\U0001f600"):
        assert Text().deserialize(text) == text
