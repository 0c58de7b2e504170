from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from cmdb_server.api.asking import PageSchema, TimesSchema, cursor_of, opaque
from cmdb_server.errors import Invalid


@given(st.text(st.characters(codec="ascii")))
def test_a_cursor_goes_round(place: str) -> None:
    assert cursor_of(opaque(place)) == place


def test_the_end_has_no_cursor() -> None:
    assert opaque(None) is None and cursor_of(None) is None


@pytest.mark.parametrize("text", ["!", "abc", "ä", "////", "\ud800"])
def test_what_was_never_given_out_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        cursor_of(text)


def test_nothing_asked_is_now_and_the_first_page() -> None:
    assert TimesSchema().load({}) == {"at": None, "known_at": None}
    assert PageSchema().load({})["limit"] == 100


@pytest.mark.parametrize("asked", [{"limit": "0"}, {"limit": "1001"}, {"at": "now"}, {"cursor": ""}])
def test_bounds(asked: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        PageSchema().load(asked)
